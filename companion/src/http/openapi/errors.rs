//! Error responses of operations: what `http::error` sends, as the document describes it.

use std::collections::{BTreeMap, BTreeSet};

use edgeward_wire::error_code;
use serde_json::{Map, Value, json};

use super::ADMINISTRATION;
use crate::http::error::ApiError;
use crate::http::error::every::every_error;

/// Extension with the codes in the annotation of an operation. The document has them as the examples of responses.
pub(super) const ANNOTATION: &str = "x-error-codes";
/// Codes of every operation.
const ALWAYS: [&str; 2] = ["internal_error", "timed_out"];
/// Codes of operations with a body.
const OF_BODIES: [&str; 5] =
    ["body_not_object", "body_too_large", "body_too_slow", "content_encoded", "content_type_not_json"];
/// Codes of operations that require a token: the session is read from the database, and refreshed where it has to be.
const OF_TOKENS: [&str; 3] = [error_code::NOT_SIGNED_IN, "busy", "database_unavailable"];
/// Codes of operations that require an administrator, who has authenticated recently.
const OF_ADMINS: [&str; 2] = [error_code::NOT_ALLOWED, error_code::INSUFFICIENT_USER_AUTHENTICATION];

/// Returns the codes of an operation: those of its annotation, and those that follow from its form.
pub(super) fn codes_of(operation: &Map<String, Value>, is_for_users: bool) -> BTreeSet<String> {
    let own = operation.get(ANNOTATION).and_then(Value::as_array);
    let own = own.into_iter().flatten().filter_map(Value::as_str);
    let of_bodies = OF_BODIES.into_iter().filter(|_| operation.contains_key("requestBody"));
    let of_tokens = OF_TOKENS.into_iter().filter(|_| is_for_users);
    let is_for_admins = operation.get("tags") == Some(&json!([ADMINISTRATION]));
    let of_admins = OF_ADMINS.into_iter().filter(|_| is_for_admins);
    own.chain(ALWAYS).chain(of_bodies).chain(of_tokens).chain(of_admins).map(str::to_owned).collect()
}

/// Returns one response for each status of these codes, with the bodies as examples.
pub(super) fn responses(codes: &BTreeSet<String>) -> Map<String, Value> {
    let mut by_status: BTreeMap<u16, BTreeMap<&str, String>> = BTreeMap::new();
    for error in every_error() {
        for code in error.codes().into_iter().filter(|code| codes.contains(*code)) {
            by_status.entry(error.status().as_u16()).or_default().insert(code, error.message().to_owned());
        }
    }
    let response = |(status, messages): (u16, BTreeMap<&str, String>)| {
        let examples: Map<String, Value> =
            messages.keys().map(|code| ((*code).to_owned(), example(code))).collect();
        let messages: BTreeSet<String> = messages.into_values().collect();
        let schema = json!({ "$ref": "#/components/schemas/Error" });
        let response = json!({
            "description": messages.into_iter().collect::<Vec<_>>().join("; "),
            "content": { "application/json": { "schema": schema, "examples": examples } },
        });
        (status.to_string(), response)
    };
    by_status.into_iter().map(response).collect()
}

fn example(code: &str) -> Value {
    json!({ "$ref": format!("#/components/examples/{code}") })
}

/// Returns the body of every code, by code.
pub(super) fn examples() -> Value {
    let example = |code: &str, body: Value| (code.to_owned(), json!({ "value": body }));
    let bodies = every_error().into_iter().flat_map(|error| {
        let body = error.body();
        error.codes().into_iter().map(move |code| example(code, body.clone())).collect::<Vec<_>>()
    });
    Value::Object(bodies.collect())
}

/// Returns the schemas of errors.
pub(super) fn schemas() -> Value {
    json!({ "Error": schema(), "ErrorCode": codes_schema() })
}

fn codes_schema() -> Value {
    let codes: BTreeSet<&str> = every_error().iter().flat_map(ApiError::codes).collect();
    json!({
        "type": "string",
        "description": "Stable, machine-readable code of an error. Later versions may add others.",
        "enum": codes,
    })
}

fn schema() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "description": "Body of every error response.",
        "required": ["message", "errors"],
        "properties": {
            "message": text("Message for people."),
            "errors": {
                "type": "array",
                "description": "Every mistake in a field at once; or one entry, whose `msg` is the `message`.",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["type", "msg", "path", "location", "code"],
                    "properties": {
                        "type": text("`field` for a mistake in one field, otherwise `request`."),
                        "msg": text("Message for people. It never repeats a value that was sent."),
                        "path": text("Name of the field or the parameter; empty if it is no mistake in one."),
                        "location": text("`body` for a field of the body, `query` for a parameter; otherwise empty."),
                        "code": { "$ref": "#/components/schemas/ErrorCode" },
                    },
                },
            },
        },
    })
}
