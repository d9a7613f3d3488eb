//! The companion's API in this process, over real HTTP and a database of its own; never what it ought to answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use aws_lc_rs::rand::SystemRandom;
use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_companion::clock::{Clock, SystemClock};
use edgeward_companion::config::{self, Config};
use edgeward_companion::db::pool;
use edgeward_companion::domain::caller::Caller;
use edgeward_companion::domain::token::key_set::KeySet;
use edgeward_companion::domain::token::rsa_key::PrivateKey;
use edgeward_companion::http::routes;
use edgeward_companion::http::server::{self, Protocol};
use edgeward_companion::http::state::AppState;
use edgeward_companion::service::Context;
use edgeward_wire::AccessClaims;
use reqwest::header::COOKIE;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sqlx::PgPool;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::database::{self, Database};
use crate::mint::Key;

mod answer;

pub use answer::Answer;

/// What signs refresh tokens.
pub const REFRESH_SECRET: &str = "a secret of the tests that is long enough";

/// A password that every rule accepts.
pub const PASSWORD: &str = "correct horse battery";

/// A running API.
pub struct Api {
    /// State of its handlers.
    pub state: AppState,
    /// Its database.
    pub database: Database,
    /// Connections to its database.
    pub pool: PgPool,
    /// Its clock.
    pub clock: Arc<MovableClock>,
    public: SocketAddr,
    internal: SocketAddr,
}

/// A clock that stands still until it is moved. It begins in 2030.
pub struct MovableClock(Mutex<OffsetDateTime>);

impl MovableClock {
    /// Shows the time that commands have.
    pub fn catch_up(&self) {
        *self.0.lock().expect("a clock") = SystemClock.now();
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().expect("a clock") += by;
    }
}

impl Clock for MovableClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().expect("a clock")
    }
}

impl Api {
    /// An API with the settings of a test.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same, with other settings.
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
        let clock = Arc::new(MovableClock(Mutex::new(datetime!(2030-01-01 00:00 UTC))));
        let pool = pool::make(&config.database);
        let random: edgeward_companion::random::Random = Arc::new(SystemRandom::new());
        let keys = KeySet::new(signing_key(), Vec::new());
        let state = AppState::new(&config, pool.clone(), keys, clock.clone(), &random).expect("a state");
        let public = serve(Protocol::Http1, routes::public(state.clone())).await;
        let internal = serve(Protocol::Http1OrHttp2, routes::internal(state.clone())).await;
        Self { state, database, pool, clock, public, internal }
    }

    /// Context of what the service does by itself.
    #[must_use]
    pub fn system(&self) -> Context {
        self.state.context(Caller::SYSTEM)
    }

    /// Somebody with no cookies yet.
    #[must_use]
    pub fn client(&self) -> Client {
        Client { address: self.public, cookies: BTreeMap::new(), http: reqwest::Client::new() }
    }

    /// The same on the internal listener.
    #[must_use]
    pub fn internal(&self) -> Client {
        Client { address: self.internal, ..self.client() }
    }

    /// Waits until a request waits for a lock in the database.
    pub async fn wait_for_lock(&self) {
        self.wait_for_locks(1).await;
    }

    /// Waits until so many do.
    pub async fn wait_for_locks(&self, count: i64) {
        let waiting = "select count(*) from pg_stat_activity
                       where datname = current_database() and wait_event_type = 'Lock'";
        let mut connection = self.pool.acquire().await.expect("a connection");
        for _ in 0..2000 {
            let waits = sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *connection).await;
            if waits.expect("a count") >= count {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("nobody waits");
    }

    /// Somebody who has just registered.
    pub async fn registered(&self, email: &str) -> Client {
        let mut client = self.client();
        let answer = client.register(email).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        client
    }
}

/// The key that signs. Making one takes a while, so all tests of a process share it.
#[must_use]
pub fn signing_key() -> PrivateKey {
    PrivateKey::from_pem(mint().private_pem().as_bytes()).expect("a key")
}

/// The same key, for tokens that the companion would never sign.
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

/// A browser in little: it keeps the cookies it is given, and sends them.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    http: reqwest::Client,
    /// Its cookies by name.
    pub cookies: BTreeMap<String, String>,
}

impl Client {
    /// The same browser with these cookies alone.
    #[must_use]
    pub fn clone_with(&self, names: &[&str]) -> Self {
        let mut client = self.clone();
        client.cookies.retain(|name, _| names.contains(&name.as_str()));
        client
    }

    /// Asks for something.
    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.request(Method::GET, path);
        self.send(request).await
    }

    /// Sends nothing.
    pub async fn post(&mut self, path: &str) -> Answer {
        let request = self.request(Method::POST, path);
        self.send(request).await
    }

    /// Has something gone.
    pub async fn delete(&mut self, path: &str) -> Answer {
        let request = self.request(Method::DELETE, path);
        self.send(request).await
    }

    /// Sends JSON.
    pub async fn post_json(&mut self, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).json(body);
        self.send(request).await
    }

    /// Registers with names and a password that every rule accepts.
    pub async fn register(&mut self, email: &str) -> Answer {
        self.post_json("/api/auth/register", &registration(email)).await
    }

    /// Signs in.
    pub async fn login(&mut self, email: &str, password: &str) -> Answer {
        self.post_json("/api/auth/login", &json!({"email": email, "password": password})).await
    }

    /// A request, to be completed and sent.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address))
    }

    /// The role in its access token, as the edge will read it.
    #[must_use]
    pub fn role(&self) -> String {
        self.claims().role
    }

    /// What its access token says.
    #[must_use]
    pub fn claims(&self) -> AccessClaims {
        let claims = self.cookies["access_token"].split('.').nth(1).expect("claims");
        let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
        serde_json::from_slice(&claims).expect("claims")
    }

    /// Sends a request along with the cookies, and keeps those of the answer.
    pub async fn send(&mut self, mut request: RequestBuilder) -> Answer {
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let answer = Answer { status, headers, body: serde_json::from_str(&text).unwrap_or_default(), text };
        for cookie in answer.set_cookies() {
            let (name, value) =
                cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// What a person registers with.
#[must_use]
pub fn registration(email: &str) -> Value {
    json!({"firstName": "Ada", "lastName": "Lovelace", "email": email, "password": PASSWORD})
}
