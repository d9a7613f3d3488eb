//! Settings of traces.

use super::OPTIONAL;
use crate::config::setting::DefaultValue::Value;
use crate::config::setting::{Example, Form, Group, Setting};

pub(super) const TRACES: Group = Group {
    title: "Traces",
    about: "",
    settings: &[OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER_ARG],
};

pub(in crate::config) const OTEL_EXPORTER_OTLP_ENDPOINT: Setting = Setting {
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    form: Form::Text("a URL such as http://127.0.0.1:4318, without TLS"),
    summary: "Collector to which traces are sent by OTLP over HTTP; without it, none are.",
    notes: "A collector elsewhere is reached through one on the same machine. See [Traces](../guide/tracing.md).",
    example: Example::Comment("http://127.0.0.1:4318"),
    ..OPTIONAL
};

pub(in crate::config) const OTEL_SERVICE_NAME: Setting = Setting {
    name: "OTEL_SERVICE_NAME",
    form: Form::Name { max_bytes: 64 },
    default: Value("edgeward"),
    summary: "Name of the companion in its traces.",
    ..OPTIONAL
};

pub(in crate::config) const OTEL_TRACES_SAMPLER_ARG: Setting = Setting {
    name: "OTEL_TRACES_SAMPLER_ARG",
    form: Form::Text("a number from 0 to 1"),
    default: Value("1"),
    summary: "Ratio of sampled traces among those that begin in the companion; a caller's decision is kept.",
    ..OPTIONAL
};
