//! Response that was read to its end, its rendering for snapshots, and the shape of every rejection.

use std::fmt::{self, Display, Formatter};

use reqwest::StatusCode;
use reqwest::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, HeaderMap, HeaderName, SET_COOKIE};
use serde_json::{Value, json};

/// Header fields that a snapshot shows, in this order.
const SHOWN: [&str; 6] =
    ["allow", "cache-control", "content-type", "location", "retry-after", "www-authenticate"];
/// Longest JSON value on one line of a snapshot, in characters. Chosen: as much as fits into a line of code.
const MAX_LINE: usize = 100;

/// Response, read to its end.
#[derive(Clone, Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body if it is JSON, else null.
    pub body: Value,
    /// Body as text.
    pub text: String,
}

impl Response {
    pub(super) async fn read(response: reqwest::Response) -> reqwest::Result<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        Ok(Self { status, headers, body: serde_json::from_str(&text).unwrap_or_default(), text })
    }

    /// Returns the value of a header field, empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns the values of the `Set-Cookie` fields.
    #[must_use]
    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    /// Returns the token of the last form of a page. The first may be the one that signs out.
    #[must_use]
    pub fn form_token(&self) -> String {
        let after = self.text.rsplit("name=\"form_token\" value=\"").next();
        let token =
            after.filter(|after| after.len() < self.text.len()).and_then(|after| after.split('"').next());
        token.unwrap_or_else(|| panic!("no form: {self}")).to_owned()
    }

    /// Fails unless this is a rejection in the API's shape, with this status and one entry that has this code and
    /// repeats the message. Which message and which header fields belong to a code is in the snapshots of
    /// `tests/system/tests/api_rejections.rs`.
    pub fn assert_rejected(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self}");
        let message = &self.body["message"];
        assert!(message.as_str().is_some_and(|message| !message.is_empty()), "{self}");
        let entry = json!({"type": "request", "msg": message, "path": "", "location": "", "code": code});
        assert_eq!(self.body, json!({"message": message, "errors": [entry]}));
        assert!(self.set_cookies().is_empty(), "{self}");
        assert_eq!(self.header("cache-control"), "no-store");
    }

    /// Returns the invalid fields that a rejection names, in order, each with its code: `email: required`.
    #[must_use]
    pub fn invalid_fields(&self) -> Vec<String> {
        assert_eq!(self.status, 400, "{self}");
        let entries = self.body["errors"].as_array().expect("errors");
        assert!(
            entries.iter().all(|entry| {
                entry["type"] == "field" && (entry["location"] == "body" || entry["location"] == "query")
            }),
            "{self}"
        );
        let text = |entry: &Value, name: &str| entry[name].as_str().expect("a string").to_owned();
        entries.iter().map(|entry| format!("{}: {}", text(entry, "path"), text(entry, "code"))).collect()
    }
}

/// Renders the response for a snapshot: status, header fields and body. What differs from run to run is left out.
impl Display for Response {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let status = StatusCode::from_u16(self.status).map_err(|_| fmt::Error)?;
        writeln!(f, "{status}")?;
        for name in SHOWN {
            for value in self.headers.get_all(name) {
                writeln!(f, "{name}: {}", value.to_str().map_err(|_| fmt::Error)?)?;
            }
        }
        // The other fields of CORS are in every response, and mean nothing without this one (Fetch §4.10).
        if self.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            let is_cors = |name: &&str| name.starts_with("access-control-");
            let mut names: Vec<&str> = self.headers.keys().map(HeaderName::as_str).filter(is_cors).collect();
            names.sort_unstable();
            for name in names {
                writeln!(f, "{name}: {}", self.header(name))?;
            }
        }
        for cookie in self.set_cookies() {
            writeln!(f, "set-cookie: {}", without_tokens(cookie))?;
        }
        if self.header(CONTENT_TYPE.as_str()).starts_with("application/json") {
            write!(f, "\n{}", lay_out(&self.body, ""))
        } else if self.text.is_empty() {
            Ok(())
        } else {
            write!(f, "\n{}", self.text)
        }
    }
}

/// Replaces tokens, which begin with the Base64 of `{"`.
fn without_tokens(text: &str) -> String {
    let (mut result, mut rest) = (String::new(), text);
    while let Some((before, token)) = rest.split_once("eyJ") {
        result += before;
        result += "[token]";
        rest = token.trim_start_matches(|char: char| char.is_ascii_alphanumeric() || "-_.".contains(char));
    }
    result + rest
}

/// Renders JSON: an object or array that is short enough on one line, any other with one member on each.
fn lay_out(value: &Value, indent: &str) -> String {
    let line = on_one_line(value);
    if line.chars().count() <= MAX_LINE {
        return line;
    }
    let deeper = format!("{indent}  ");
    let (open, close, members) = match value {
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{name:?}: {}", lay_out(value, &deeper));
            ('{', '}', members.iter().map(member).collect::<Vec<_>>())
        }
        Value::Array(elements) => ('[', ']', elements.iter().map(|value| lay_out(value, &deeper)).collect()),
        _ => return line,
    };
    let members = members.join(&format!(",\n{deeper}"));
    format!("{open}\n{deeper}{members}\n{indent}{close}")
}

fn on_one_line(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{name:?}: {}", on_one_line(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(on_one_line).collect::<Vec<_>>().join(", "))
        }
        plain => without_tokens(&plain.to_string()),
    }
}
