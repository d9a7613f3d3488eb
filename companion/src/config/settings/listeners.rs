//! Settings of listeners.

use super::OPTIONAL;
use crate::config::setting::DefaultValue::Value;
use crate::config::setting::{Form, Group, Setting};

pub(super) const LISTENERS: Group = Group {
    title: "Listeners",
    about: "",
    settings: &[PORT, INTERNAL_PORT, BIND_ADDRESS, BASE_PATH, API_DOCS, TRUSTED_HOPS, DRAIN_DELAY_SECONDS],
};

pub(in crate::config) const PORT: Setting = Setting {
    name: "PORT",
    form: Form::Number { min: 0, max: 65_535 },
    default: Value("5501"),
    summary: "Port of the API and the login page; 0 for any free one.",
    ..OPTIONAL
};

pub(in crate::config) const INTERNAL_PORT: Setting = Setting {
    name: "INTERNAL_PORT",
    form: PORT.form,
    default: Value("5502"),
    summary: "Port of edge feed, edge refresh, session check, metrics and health; 0 for any free one. Never publish it.",
    ..OPTIONAL
};

pub(in crate::config) const BIND_ADDRESS: Setting = Setting {
    name: "BIND_ADDRESS",
    form: Form::Text("an IP address"),
    default: Value("127.0.0.1"),
    summary: "Address of both listeners.",
    ..OPTIONAL
};

pub(in crate::config) const BASE_PATH: Setting = Setting {
    name: "BASE_PATH",
    form: Form::Text("a path such as /api (/ for none)"),
    default: Value("/api"),
    summary: "Path above the API's routes.",
    ..OPTIONAL
};

pub(in crate::config) const API_DOCS: Setting = Setting {
    name: "API_DOCS",
    form: Form::OneOf(&["on", "off"]),
    default: Value("on"),
    summary: "Whether the API describes itself: `/docs` for people and `/openapi.json` for programs, below `BASE_PATH`.",
    notes: "Both are public, and say nothing of any user.",
    ..OPTIONAL
};

pub(in crate::config) const TRUSTED_HOPS: Setting = Setting {
    name: "TRUSTED_HOPS",
    // One is the gateway. More than ten proxies in a row is a mistake.
    form: Form::Number { min: 0, max: 10 },
    default: Value("1"),
    summary: "Number of proxies in front of the companion that append to `x-forwarded-for`.",
    notes: "The client's address in the session list is that many entries from the end; with 0 it is the other end of the \
            connection. `envoy/envoy.yaml` writes the client's address alone, so behind it this is 1, however many \
            proxies stand in front of Envoy.",
    ..OPTIONAL
};

pub(in crate::config) const DRAIN_DELAY_SECONDS: Setting = Setting {
    name: "DRAIN_DELAY_SECONDS",
    form: Form::Number { min: 0, max: 60 },
    // Two of the gateway's health checks, which come once a second.
    default: Value("2"),
    summary: "Time after SIGTERM in which `/readyz` replies 503 and the service goes on, so that balancers notice.",
    notes: "Requests under way then have 10 s. SIGINT, or a second signal, does not wait.",
    ..OPTIONAL
};
