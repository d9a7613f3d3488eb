//! Settings of front ends.

use super::OPTIONAL;
use crate::config::setting::DefaultValue::Value;
use crate::config::setting::{Example, Form, Group, Setting};

pub(super) const FRONT_ENDS: Group =
    Group { title: "Front ends", about: "", settings: &[CLIENT_UI_DOMAIN, CORS_ALLOW_HEADERS] };

pub(in crate::config) const CLIENT_UI_DOMAIN: Setting = Setting {
    name: "CLIENT_UI_DOMAIN",
    form: Form::Text("origins such as https://app.example.com, comma-separated"),
    summary: "Origins whose pages may call the API with cookies (CORS); the filter has them in `allowed_origins`.",
    notes: "`127.0.0.1` and `localhost` are two sites: a page keeps its login only if it calls the gateway by the page's \
            own host. See [A front end of your own](../guide/front-end.md).",
    example: Example::Value("http://127.0.0.1:5173,http://localhost:5173"),
    ..OPTIONAL
};

// The companion reads the first three, and what browsers send for languages; the others are added to every request by
// the libraries named, which a front end has no say over. None of them changes how the companion reads a request.
pub(in crate::config) const CORS_ALLOW_HEADERS: Setting = Setting {
    name: "CORS_ALLOW_HEADERS",
    form: Form::Text(
        "names of request headers such as content-type, sentry-trace (* is not one: browsers ignore it where cookies \
         are sent)",
    ),
    default: Value(
        "content-type, authorization, x-request-id, accept, accept-language, \
         content-language, cache-control, pragma, \
         x-requested-with, x-csrf-token, x-xsrf-token, \
         traceparent, tracestate, baggage, \
         b3, x-b3-traceid, x-b3-spanid, x-b3-parentspanid, x-b3-sampled, x-b3-flags, \
         sentry-trace, newrelic, elastic-apm-traceparent, \
         x-datadog-origin, x-datadog-parent-id, x-datadog-sampling-priority, x-datadog-trace-id, \
         request-id, request-context, x-amzn-trace-id",
    ),
    summary: "Request headers that pages of those origins may send, comma-separated, instead of the usual ones.",
    notes: "The default has the headers that the API reads, and those that tracing and error reporting add \
            (`traceparent`, `baggage`, `sentry-trace` …).",
    example: Example::Comment("content-type,x-request-id,sentry-trace"),
    ..OPTIONAL
};
