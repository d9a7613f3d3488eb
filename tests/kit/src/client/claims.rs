//! Claims of a client's access token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::AccessClaims;

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
        let claims = self.cookies["access_token"].split('.').nth(1).expect("claims");
        let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
        serde_json::from_slice(&claims).expect("claims")
    }
}
