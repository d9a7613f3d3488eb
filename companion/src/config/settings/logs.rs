//! Settings of logs.

use super::OPTIONAL;
use crate::config::setting::DefaultValue::Value;
use crate::config::setting::{Example, Form, Group, Setting};

pub(super) const LOGS: Group = Group { title: "Logs", about: "", settings: &[LOG_FORMAT, RUST_LOG] };

pub(in crate::config) const LOG_FORMAT: Setting = Setting {
    name: "LOG_FORMAT",
    form: Form::OneOf(&["json", "text"]),
    default: Value("json"),
    default_in_dev: Some("text"),
    summary: "Form of a log line: a JSON object, or text for people.",
    example: Example::Value("text"),
    ..OPTIONAL
};

pub(in crate::config) const RUST_LOG: Setting = Setting {
    name: "RUST_LOG",
    form: Form::Text("a log filter such as info,sqlx=warn"),
    default: Value("info"),
    summary: "Least level of logged events: `error`, `warn`, `info`, `debug` or `trace`, also by part: `info,sqlx=warn`.",
    notes: "Audit events are `info`, with the target `audit`: `warn,audit=info` keeps them. `webauthn_rs_core`, which logs what anybody has sent, is off unless it is named.",
    ..OPTIONAL
};
