//! The document against the errors and the routes that it was made from.

use std::collections::BTreeSet;

use time::Duration;

use super::*;
use crate::config;
use crate::http::error::ApiError;
use crate::http::error::every::every_error;
use crate::http::routes;

fn document(base_path: &str, prefix: &str) -> Value {
    let settings = config::Cookies {
        prefix: prefix.to_owned(),
        domain: None,
        same_site: cookie::SameSite::Lax,
        secure: true,
    };
    let cookies = CookiePolicy::new(&settings, Duration::HOUR, Duration::DAY);
    routes::document(base_path, true, &cookies)
}

#[test]
fn every_operation_has_a_name_of_its_own_and_a_summary() {
    let mut document = document("/api", "");
    let mut names = BTreeSet::new();
    for operation in operations(&mut document) {
        let text =
            |member: &str| operation.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        assert!(names.insert(text("operationId")), "{operation:?}");
        assert!(!text("operationId").is_empty() && !text("summary").is_empty(), "{operation:?}");
        assert!(
            operation.contains_key("tags") && operation["responses"].get("500").is_some(),
            "{operation:?}"
        );
    }
    assert!(names.len() >= 11, "{names:?}");
}

#[test]
fn every_code_of_an_operation_is_a_code_of_an_error() {
    let known: BTreeSet<&str> = every_error().iter().flat_map(ApiError::codes).collect();
    let mut collected = serde_json::to_value(routes::collected("/api", true)).unwrap();
    for operation in operations(&mut collected) {
        for code in operation.get(errors::ANNOTATION).and_then(Value::as_array).into_iter().flatten() {
            assert!(known.contains(code.as_str().unwrap()), "{code} of {}", operation["operationId"]);
        }
    }
}

#[test]
fn document_has_the_base_path_and_the_names_of_the_cookies() {
    let moved = document("/v1/auth", "__Host-");
    assert!(moved["paths"].get("/v1/auth/auth/login").is_some());
    assert_eq!(moved["components"]["securitySchemes"]["accessToken"]["name"], "__Host-access_token");
    let at_the_root = document("", "");
    assert!(at_the_root["paths"].get("/auth/login").is_some());
    for document in [moved, at_the_root] {
        assert!(document["paths"].get("/.well-known/jwks.json").is_some());
    }
}

#[test]
fn limits_of_fields_are_those_of_the_domain() {
    let document = document("/api", "");
    let password = &document["components"]["schemas"]["Registration"]["properties"]["password"];
    assert_eq!(password["maxLength"], crate::domain::account::password::MAX_BYTES);
    assert_eq!(password["minLength"], crate::domain::account::password::MIN_CHARS);
}
