//! The OpenAPI 3.1 document of the public listener. utoipa collects the operations from the table of routes; what follows
//! from the form of an operation is added here, so that no handler can forget it.

mod errors;
pub(super) mod fields;

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use super::cookies::CookiePolicy;

/// Security scheme of the access token in its cookie.
const ACCESS_COOKIE: &str = "accessToken";
/// Security scheme of the refresh token in its cookie.
const REFRESH_COOKIE: &str = "refreshToken";
/// Security scheme of the access token in `Authorization`.
const BEARER: &str = "bearer";

/// Tag of the operations that require an administrator.
const ADMINISTRATION: &str = "Administration";
/// Header fields of a response to too many attempts.
const OF_LIMITS: [(&str, &str); 3] =
    [("ratelimit", "RateLimit"), ("ratelimit-policy", "RateLimitPolicy"), ("retry-after", "RetryAfter")];

const TITLE: &str = "Edgeward";
const ABOUT: &str = "\
Registers people, signs them in, and keeps each session in two cookies that no script can read. A request from a page of \
another origin needs `credentials: \"include\"`, and its origin in `CLIENT_UI_DOMAIN`.

Every error response has the same body: decide by `errors[].code`, which keeps its meaning, and show `errors[].msg`. A wrong \
path is `not_found` (404), and a wrong method is `method_not_allowed` (405, with `Allow`). In front of the API, the gateway \
responds with `bad_request` (400), `not_signed_in` (401), `not_allowed` (403) and `unavailable` (503) in the same form.";

/// Completes the document that was collected from the table of routes.
///
/// Adds the error responses of every operation, the header fields of every response, and the security schemes with the
/// names of the cookies.
#[must_use]
pub fn complete(collected: &OpenApi, cookies: &CookiePolicy) -> Value {
    // This cannot fail: every key is a text.
    let mut document = serde_json::to_value(collected).unwrap_or_default();
    for operation in operations(&mut document) {
        complete_operation(operation);
    }
    add(&mut document, "", described());
    add(&mut document, "/components", components(cookies));
    add(&mut document, "/components/schemas", errors::schemas());
    document
}

/// Adds members to the object at a JSON pointer, which is there.
fn add(document: &mut Value, pointer: &str, members: Value) {
    if let (Some(Value::Object(object)), Value::Object(members)) = (document.pointer_mut(pointer), members) {
        object.extend(members);
    }
}

fn described() -> Value {
    json!({
        "info": {
            "title": TITLE,
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "tags": [
            { "name": "Accounts", "description": "Registration, and the signed-in user." },
            { "name": "Second factors", "description": "Authenticator apps, passkeys and recovery codes of the signed-in user." },
            { "name": "Sessions", "description": "Login, refresh, logout, and the list of a user's sessions." },
            { "name": ADMINISTRATION, "description": "Users, their sessions and the audit log, for the role `admin`." },
            { "name": "Keys", "description": "Public keys of the access tokens." },
            { "name": "Documentation", "description": "This document." },
        ],
    })
}

fn components(cookies: &CookiePolicy) -> Value {
    json!({
        "securitySchemes": security_schemes(cookies),
        "headers": headers(),
        "examples": errors::examples(),
    })
}

/// Returns every operation of a document.
fn operations(document: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    items.flat_map(Map::values_mut).filter_map(Value::as_object_mut)
}

fn complete_operation(operation: &mut Map<String, Value>) {
    let is_for_users = requires_token(operation);
    let codes = errors::codes_of(operation, is_for_users);
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for (_, response) in responses.iter_mut().filter(|(status, _)| is_for_users && status.starts_with('2')) {
        add_headers(response, &[("set-cookie", "RenewedTokens")]);
    }
    responses.extend(errors::responses(&codes));
    for (status, response) in responses.iter_mut() {
        add_headers(response, &[("x-request-id", "RequestId")]);
        match status.as_str() {
            "401" => add_headers(response, &[("www-authenticate", "Challenge")]),
            "429" => add_headers(response, &OF_LIMITS),
            "503" => add_headers(response, &[("retry-after", "RetryAfter")]),
            _ => {}
        }
    }
    operation.remove(errors::ANNOTATION);
}

/// Returns `true` if an operation rejects requests without a token.
fn requires_token(operation: &Map<String, Value>) -> bool {
    let alternatives = operation.get("security").and_then(Value::as_array);
    let is_required =
        |alternative: &Value| alternative.as_object().is_some_and(|schemes| !schemes.is_empty());
    alternatives.is_some_and(|alternatives| alternatives.iter().all(is_required))
}

/// Adds header fields of the components to a response, where it has none of these names.
fn add_headers(response: &mut Value, fields: &[(&str, &str)]) {
    let Some(response) = response.as_object_mut() else { return };
    let headers = response.entry("headers").or_insert_with(|| json!({})).as_object_mut();
    let Some(headers) = headers else { return };
    for (field, component) in fields {
        let reference = json!({ "$ref": format!("#/components/headers/{component}") });
        headers.entry(*field).or_insert(reference);
    }
}

/// Header fields of responses to several operations.
fn headers() -> Value {
    let text = |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    json!({
        "RequestId": {
            "description": "The request's own `x-request-id`, or a new one: it is in the logs of every service.",
            "schema": { "type": "string", "pattern": "^[0-9A-Za-z._-]{1,64}$" },
        },
        "RetryAfter": {
            "description": "Seconds after which the same request may be sent again.",
            "schema": { "type": "string", "pattern": "^[0-9]+$" },
        },
        "RateLimit": text("Attempts that are left (`r`), and seconds until there is one (`t`)."),
        "RateLimitPolicy": text("Attempts at once (`q`), and seconds in which as many come back (`w`)."),
        "Challenge": text("Authentication scheme (RFC 9110 §11.6.1)."),
        "RenewedTokens": text("Both cookies, if the tokens were renewed during the request."),
    })
}

fn security_schemes(cookies: &CookiePolicy) -> Value {
    let cookie = |name: &str, description: &str| json!({ "type": "apiKey", "in": "cookie", "name": name, "description": description });
    json!({
        ACCESS_COOKIE: cookie(cookies.access_name(), "Access token (JWT, RS256). Browsers send it by themselves."),
        REFRESH_COOKIE: cookie(
            cookies.refresh_name(),
            "Refresh token. It is worth one new pair of tokens; where the access token is missing or has expired, the \
             response sets these.",
        ),
        BEARER: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "Access token of a program that keeps no cookies (RFC 6750).",
        },
    })
}

#[cfg(test)]
mod tests;
