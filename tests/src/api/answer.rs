//! What the companion answered, and the shape that every refusal has.

use reqwest::header::{HeaderMap, SET_COOKIE};
use serde_json::{Value, json};

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body if it is JSON, else null.
    pub body: Value,
    /// The body.
    pub text: String,
}

impl Answer {
    /// A header's value, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The `Set-Cookie` headers.
    #[must_use]
    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    /// Fails unless this is a refusal in the API's shape, with this status and one entry that repeats the message.
    pub fn assert_refused(&self, status: u16, message: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let code = self.body["errors"][0]["code"].as_str().unwrap_or_default();
        assert!(!code.is_empty(), "{self:?}");
        let entry = json!({"type": "request", "msg": message, "path": "", "location": "", "code": code});
        assert_eq!(self.body, json!({"message": message, "errors": [entry]}));
        assert!(self.set_cookies().is_empty(), "{self:?}");
        assert_eq!(self.header("cache-control"), "no-store");
    }

    /// The fields that a refusal names, in order.
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<&str> {
        let entries = self.body["errors"].as_array().expect("errors");
        assert!(entries.iter().all(|entry| entry["type"] == "field" && entry["location"] == "body"));
        entries.iter().filter_map(|entry| entry["path"].as_str()).collect()
    }
}
