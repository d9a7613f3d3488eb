//! Claims of a client's tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::AccessClaims;
use serde_json::Value;

use super::Client;

impl Client {
    /// Returns the role in the access token.
    #[must_use]
    pub fn role(&self) -> String {
        self.claims().role
    }

    /// Returns the claims of the access token.
    #[must_use]
    pub fn claims(&self) -> AccessClaims {
        serde_json::from_value(self.claims_in("access_token")).expect("claims")
    }

    /// Returns the session ID and the generation of the refresh token.
    #[must_use]
    pub fn session_and_generation(&self) -> (i64, i64) {
        let claims = self.claims_in("refresh_token");
        let (session, generation) =
            claims["jti"].as_str().expect("an ID").split_once('.').expect("two numbers");
        (session.parse().expect("a number"), generation.parse().expect("a number"))
    }

    fn claims_in(&self, cookie: &str) -> Value {
        let claims = self.cookies[cookie].split('.').nth(1).expect("claims");
        let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
        serde_json::from_slice(&claims).expect("JSON")
    }
}
