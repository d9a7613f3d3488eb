//! Second factors of users.

use edgeward_companion::clock::Clock as _;
use serde_json::{Value, json};
use time::Duration;
use totp_rs::{Builder, Secret, Totp};

use super::Api;
use crate::client::{Client, PASSWORD, Response};

/// Authenticator app, with the secret of one user.
pub struct App {
    totp: Totp,
    /// Recovery codes that came with it.
    pub recovery_codes: Vec<String>,
}

impl App {
    /// Takes a secret over, in base32.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        let secret = Secret::try_from_base32(secret).expect("base32");
        let totp = Builder::new().with_secret(secret).build().expect("a secret");
        Self { totp, recovery_codes: Vec::new() }
    }

    /// Returns the bytes of the secret.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        self.totp.secret().as_bytes()
    }

    /// Returns the code of now.
    #[must_use]
    pub fn code(&self, api: &Api) -> String {
        let now = api.clock.now().unix_timestamp().try_into().expect("a time after 1970");
        self.totp.generate(now).to_string()
    }

    /// Returns the code of the next step, after moving the clock there: no code is accepted twice.
    #[must_use]
    pub fn next_code(&self, api: &Api) -> String {
        api.clock.advance(Duration::seconds(30));
        self.code(api)
    }
}

impl Api {
    /// Adds an authenticator app to the account of a client, and returns the app.
    pub async fn add_app(&self, client: &mut Client) -> App {
        let begun = client.post("/api/auth/factors/totp").await;
        assert_eq!(begun.status, 200, "{begun}");
        let mut app = App::new(begun.body["secret"].as_str().expect("a secret"));
        let body = json!({"token": begun.body["token"], "code": app.code(self), "name": "Phone"});
        let added = client.post_json("/api/auth/factors/totp/confirm", &body).await;
        assert_eq!(added.status, 201, "{added}");
        let codes = added.body["recoveryCodes"].as_array().into_iter().flatten();
        app.recovery_codes = codes.map(|code| code.as_str().expect("a code").to_owned()).collect();
        app
    }

    /// Returns `true` if a row about factors has these bytes, or this text.
    pub async fn stores(&self, secret: &[u8]) -> bool {
        let rows = "select coalesce(bool_or(line like '%' || encode($1, 'hex') || '%' or position($2 in line) > 0), false)
                    from (select t::text as line from factors t union all select t::text from recovery_codes t
                          union all select t::text from pending_logins t
                          union all select t::text from factor_challenges t) as all_rows";
        let rows =
            sqlx::query_scalar(rows).bind(secret).bind(String::from_utf8_lossy(secret).replace('\0', " "));
        rows.fetch_one(&self.pool).await.expect("rows")
    }

    /// Returns the client of a new user with an authenticator app, and the app.
    pub async fn registered_with_app(&self, email: &str) -> (Client, App) {
        let mut client = self.registered(email).await;
        let app = self.add_app(&mut client).await;
        (client, app)
    }
}

impl Client {
    /// Begins to log in with the right password, and returns the token of the pending login.
    pub async fn begin_login(&mut self, email: &str) -> Value {
        let begun = self.login(email, PASSWORD).await;
        assert_eq!(begun.status, 202, "{begun}");
        begun.body["token"].clone()
    }

    /// Proves who the user is by the password and a code.
    pub async fn confirm(&mut self, code: &str) {
        let confirmed =
            self.post_json("/api/auth/confirm", &json!({"password": PASSWORD, "code": code})).await;
        assert_eq!(confirmed.status, 200, "{confirmed}");
    }

    /// Completes a pending login by a code.
    pub async fn complete_login(&mut self, token: &Value, code: &str) -> Response {
        self.post_json("/api/auth/login/factor", &json!({"token": token, "code": code})).await
    }
}
