//! API of the companion in this process, over real HTTP and with a database of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::rand::SystemRandom;
use axum::Router;
use edgeward_companion::config::{self, Config};
use edgeward_companion::domain::caller::Caller;
use edgeward_companion::domain::token::key_set::KeySet;
use edgeward_companion::domain::token::rsa_key::PrivateKey;
use edgeward_companion::http::routes;
use edgeward_companion::http::server::{self, Protocol};
use edgeward_companion::http::state::AppState;
use edgeward_companion::service::{Context, Pool};
use reqwest::header::{HeaderName, HeaderValue};
use sqlx::PgPool;
use time::macros::datetime;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::client::{Client, PASSWORD};
use crate::database::{self, Database};
use crate::mint::Key;

mod accounts;
mod clock;
mod factors;
mod follower;
mod mail;
mod passkeys;
mod sessions;

pub use clock::MovableClock;
pub use factors::App;
pub use follower::Follower;
pub use mail::{PUBLIC_URL, Reset, request_reset};
pub use passkeys::{PASSKEY_ORIGIN, PASSKEYS, Passkey, VERIFIED};

/// Secret that signs refresh tokens.
pub const REFRESH_SECRET: &str = "a secret of the tests that is long enough";

/// Running API.
pub struct Api {
    /// State of the handlers.
    pub state: AppState,
    /// Database.
    pub database: Database,
    /// Connections to the database beside those of the API.
    pub pool: PgPool,
    /// Clock.
    pub clock: Arc<MovableClock>,
    config: Config,
    public: SocketAddr,
    internal: SocketAddr,
}

impl Api {
    /// Starts an API with the settings of a test.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts an API with these additional settings.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let database = database::fresh().await;
        let mut all: BTreeMap<String, String> = [
            ("APP_ENV", "test"),
            ("BCRYPT_COST", "4"),
            ("REFRESH_JWT_SECRET", REFRESH_SECRET),
            ("DATABASE_URL", database.url.as_str()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let config: Config = config::read(&all).expect("settings without mistakes");
        let clock = Arc::new(MovableClock::at(datetime!(2030-01-01 00:00 UTC)));
        let (db, pool) = (Pool::new(&config.database), database.pool());
        let random: edgeward_companion::random::Random = Arc::new(SystemRandom::new());
        let keys = KeySet::new(signing_key(), Vec::new());
        let state = AppState::new(&config, db, keys, clock.clone(), &random).expect("a state");
        let public = serve(Protocol::Http1, routes::public(state.clone())).await;
        let internal = serve(Protocol::Http1OrHttp2, routes::internal(state.clone())).await;
        Self { state, database, pool, clock, config, public, internal }
    }

    /// Starts another companion with the same settings, database and clock, and returns its address.
    pub async fn start_another(&self) -> SocketAddr {
        let random: edgeward_companion::random::Random = Arc::new(SystemRandom::new());
        let keys = KeySet::new(signing_key(), Vec::new());
        let state = AppState::new(&self.config, self.state.db.clone(), keys, self.clock.clone(), &random);
        serve(Protocol::Http1, routes::public(state.expect("a state"))).await
    }

    /// Starts another companion in the same way, and returns the address of its internal listener.
    pub async fn start_another_feed(&self) -> SocketAddr {
        let random: edgeward_companion::random::Random = Arc::new(SystemRandom::new());
        let keys = KeySet::new(signing_key(), Vec::new());
        let state = AppState::new(&self.config, self.state.db.clone(), keys, self.clock.clone(), &random);
        serve(Protocol::Http1OrHttp2, routes::internal(state.expect("a state"))).await
    }

    /// Returns the context of the service's own jobs.
    #[must_use]
    pub fn system(&self) -> Context {
        self.state.context(Caller::SYSTEM)
    }

    /// Returns the URL of the public listener, for programs.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.public)
    }

    /// Returns a client without cookies at the public listener.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.public, http())
    }

    /// Returns a client without cookies whose requests come from an address.
    #[must_use]
    pub fn client_from(&self, address: &str) -> Client {
        Self::client_of(self.public, address)
    }

    /// Returns the same at another companion.
    #[must_use]
    pub fn client_of(companion: SocketAddr, address: &str) -> Client {
        let address = HeaderValue::try_from(address).expect("a value");
        let headers = [(HeaderName::from_static("x-forwarded-for"), address)].into_iter().collect();
        Client::new(companion, builder().default_headers(headers).build().expect("a client"))
    }

    /// Returns a client without cookies at the internal listener.
    #[must_use]
    pub fn internal(&self) -> Client {
        Client::new(self.internal, http())
    }

    /// Returns the address of the public listener, for raw bytes.
    #[must_use]
    pub fn public_address(&self) -> SocketAddr {
        self.public
    }

    /// Returns the address of the internal listener, for raw bytes.
    #[must_use]
    pub fn internal_address(&self) -> SocketAddr {
        self.internal
    }

    /// Waits until a request waits for a lock in the database.
    pub async fn wait_for_lock(&self) {
        self.wait_for_locks(1).await;
    }

    /// Waits until `count` requests do.
    pub async fn wait_for_locks(&self, count: i64) {
        database::wait_for_locks(&self.pool, count).await;
    }

    /// Returns the client of a new user, with the cookies of the registration.
    pub async fn registered(&self, email: &str) -> Client {
        let mut client = self.client();
        let response = client.register(email).await;
        assert_eq!(response.status, 201, "{response}");
        client
    }

    /// Returns a client that has logged in.
    pub async fn logged_in(&self, email: &str) -> Client {
        let mut client = self.client();
        let response = client.login(email, PASSWORD).await;
        assert_eq!(response.status, 200, "{response}");
        client
    }
}

/// Returns the key that signs. Making one takes a while, so all tests of a process share it.
#[must_use]
pub fn signing_key() -> PrivateKey {
    PrivateKey::from_pem(mint().private_pem().as_bytes()).expect("a key")
}

/// Returns the same key, to sign tokens that the companion does not sign.
pub fn mint() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| {
        let mut key = Key::generate("");
        let named = PrivateKey::from_pem(key.private_pem().as_bytes()).expect("a key");
        named.public().kid().clone_into(&mut key.kid);
        key
    })
}

async fn serve(protocol: Protocol, router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (_stop, stopped) = watch::channel(false);
        server::serve(listener, protocol, router, stopped).await;
    });
    address
}

fn http() -> reqwest::Client {
    builder().build().expect("a client")
}

/// Follows no redirects: a test looks at them itself.
fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none())
}
