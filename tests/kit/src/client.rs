//! Client for the API, at the companion itself or through a gateway. It stores cookies, and sends them.

use std::collections::BTreeMap;
use std::fmt::Display;

use edgeward_wire::cookie::DEVICE;
use reqwest::header::{CONTENT_TYPE, COOKIE};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

#[cfg(feature = "system")]
mod claims;
mod response;

pub use response::Response;

/// Password that every rule accepts.
pub const PASSWORD: &str = "correct horse battery";

/// Client with cookies of its own. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Client {
    /// Connections. They keep no cookies.
    pub http: reqwest::Client,
    /// Address that the client registered or logged in with last; empty before.
    pub email: String,
    /// Cookies but the device token, by name. All are for every path.
    pub cookies: BTreeMap<String, String>,
    /// Cookie of the device token: name and value.
    device: Option<String>,
    origin: String,
}

impl Client {
    /// Creates a client without cookies for the server at an address (`127.0.0.1:5500`).
    pub fn new(address: impl Display, http: reqwest::Client) -> Self {
        Self {
            http,
            email: String::new(),
            cookies: BTreeMap::new(),
            device: None,
            origin: format!("http://{address}"),
        }
    }

    /// Returns the same client with only these cookies.
    #[must_use]
    pub fn clone_with(&self, names: &[&str]) -> Self {
        let mut client = self.clone();
        client.cookies.retain(|name, _| names.contains(&name.as_str()));
        client.device = None;
        client
    }

    /// Sends a `GET` request.
    pub async fn get(&mut self, path: &str) -> Response {
        self.call(Method::GET, path, &[]).await
    }

    /// Sends a `POST` request without a body.
    pub async fn post(&mut self, path: &str) -> Response {
        self.call(Method::POST, path, &[]).await
    }

    /// Sends a `DELETE` request.
    pub async fn delete(&mut self, path: &str) -> Response {
        self.call(Method::DELETE, path, &[]).await
    }

    /// Sends JSON.
    pub async fn post_json(&mut self, path: &str, body: &Value) -> Response {
        let request = self.request(Method::POST, path).json(body);
        self.send(request).await
    }

    /// Sends JSON in a `PATCH` request.
    pub async fn patch_json(&mut self, path: &str, body: &Value) -> Response {
        let request = self.request(Method::PATCH, path).json(body);
        self.send(request).await
    }

    /// Returns a request with a form of a page, to be completed and sent.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let body = serde_urlencoded::to_string(fields).expect("a form");
        let request = self.request(Method::POST, path);
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
    }

    /// Opens a page, and sends a form of it to a path.
    pub async fn submit(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        let token = self.get(page).await.form_token();
        let fields = [&[("form_token", token.as_str())], fields].concat();
        let request = self.form(path, &fields);
        self.send(request).await
    }

    /// Sends a request without a body, with these header fields.
    pub async fn call(&mut self, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// Registers with names and a password that every rule accepts.
    pub async fn register(&mut self, email: &str) -> Response {
        email.clone_into(&mut self.email);
        self.post_json("/api/auth/register", &registration(email)).await
    }

    /// Logs in.
    pub async fn login(&mut self, email: &str, password: &str) -> Response {
        email.clone_into(&mut self.email);
        self.post_json("/api/auth/login", &json!({"email": email, "password": password})).await
    }

    /// Refreshes the session.
    pub async fn refresh(&mut self) -> Response {
        self.post("/api/auth/refresh").await
    }

    /// Logs out.
    pub async fn logout(&mut self) -> Response {
        self.post("/api/auth/logout").await
    }

    /// Returns a request, to be completed and sent.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.origin))
    }

    /// Returns the cookies as one header field, empty without any.
    #[must_use]
    pub fn cookie(&self) -> String {
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        self.device.iter().cloned().chain(pairs).collect::<Vec<_>>().join("; ")
    }

    /// Sends a request with the cookies, reads the response to its end, and keeps its cookies.
    pub async fn send(&mut self, request: RequestBuilder) -> Response {
        self.try_send(request).await.expect("a response")
    }

    /// Does the same. An error if there is no response.
    pub async fn try_send(&mut self, mut request: RequestBuilder) -> reqwest::Result<Response> {
        let cookie = self.cookie();
        if !cookie.is_empty() {
            request = request.header(COOKIE, cookie);
        }
        let response = Response::read(request.send().await?).await?;
        response.set_cookies().into_iter().for_each(|cookie| self.keep(cookie));
        Ok(response)
    }

    /// Forgets the device token.
    pub fn forget_device(&mut self) {
        self.device = None;
    }

    /// Stores one cookie (the value of a `Set-Cookie` field), or removes it if `Max-Age` is 0.
    pub fn keep(&mut self, set_cookie: &str) {
        let pair = set_cookie.split(';').next().unwrap_or_default();
        let (name, value) = pair.split_once('=').expect("a pair");
        if DEVICE.contains(&name) {
            self.device = Some(pair.to_owned());
        } else if set_cookie.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// Returns a good body of a registration.
#[must_use]
pub fn registration(email: &str) -> Value {
    json!({"firstName": "Ada", "lastName": "Lovelace", "email": email, "password": PASSWORD})
}
