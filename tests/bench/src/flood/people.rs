//! Users of the measurements, and their requests.

use anyhow::{Context as _, Result};
use edgeward_kit::client::PASSWORD;

use crate::connection::{Connection, Response};

/// User with a session.
pub(super) struct Person {
    pub(super) email: String,
    pub(super) access_token: String,
    pub(super) refresh_token: String,
}

impl Person {
    /// Registers a user at the companion's port.
    pub(super) fn register(port: u16, name: &str) -> Result<Self> {
        let email = format!("{name}@example.com");
        let response = register(&mut Connection::open(port)?, &email)?;
        let (status, tokens) = (response.status, response.access_token.zip(response.refresh_token));
        let (access_token, refresh_token) =
            tokens.with_context(|| format!("the status of a registration is {status}"))?;
        Ok(Self { email, access_token, refresh_token })
    }
}

/// Registers an address.
pub(super) fn register(connection: &mut Connection, email: &str) -> Result<Response> {
    let body =
        format!(r#"{{"firstName":"Ada","lastName":"Lovelace","email":"{email}","password":"{PASSWORD}"}}"#);
    connection.send("POST", "register", &address(), &body)
}

/// Logs in, with these header lines.
pub(super) fn log_in(
    connection: &mut Connection,
    email: &str,
    password: &str,
    headers: &str,
) -> Result<Response> {
    let body = format!(r#"{{"email":"{email}","password":"{password}"}}"#);
    connection.send("POST", "login", headers, &body)
}

/// Returns the header line of a request from a random address of a private network.
pub(super) fn address() -> String {
    let [a, b, c] = [(); 3].map(|()| fastrand::u8(..));
    format!("x-forwarded-for: 10.{a}.{b}.{c}\r\n")
}
