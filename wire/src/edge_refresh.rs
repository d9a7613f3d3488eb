//! The edge refresh: how the filter has a session go on for a request whose access token is missing, expired or
//! outdated, at `POST /internal/edge-refresh`. The question carries the request's `Cookie` headers.

use serde::{Deserialize, Serialize};

/// The answer to a refresh that is granted, with status 200. Status 401 says that the session is over, any other
/// that it is not known yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeRefresh {
    /// The new access token. The filter verifies it as it would any other.
    pub access_token: String,
    /// The values of the `Set-Cookie` headers for the browser: both cookies.
    pub set_cookies: Vec<String>,
}
