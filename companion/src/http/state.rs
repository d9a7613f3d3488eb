//! What handlers share, in parts: each extracts what it needs (axum's `FromRef`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use axum::extract::FromRef;
use axum::http::HeaderName;
use edgeward_wire::Origin;
use secrecy::SecretString;
use sqlx::PgPool;
use thiserror::Error;
use time::OffsetDateTime;

use super::cookies::CookiePolicy;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::RequestId;
use crate::domain::caller::Caller;
use crate::domain::token::access_token::AccessTokens;
use crate::domain::token::key_set::{CurrentKeys, KeySet};
use crate::domain::token::refresh_token::RefreshTokens;
use crate::hashing::PasswordHasher;
use crate::random::Random;
use crate::service::{Context, Tokens};
use crate::telemetry::metrics::Metrics;

/// State of the service.
#[derive(Clone, FromRef)]
pub struct AppState {
    /// Connections to Postgres.
    pub db: PgPool,
    /// Source of the time.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Signs and verifies tokens.
    pub tokens: Arc<Tokens>,
    /// Hashes and compares passwords.
    pub hasher: Arc<PasswordHasher>,
    /// Attributes of the cookies.
    pub cookies: Arc<CookiePolicy>,
    /// How requests are read.
    pub http: Arc<HttpPolicy>,
    /// Whether the service is about to stop.
    pub draining: Draining,
}

/// How requests are read, and from where they may come.
pub struct HttpPolicy {
    /// Base path of the API: empty, or `/api`.
    pub base_path: String,
    /// Origins whose pages may call with cookies.
    pub origins: Vec<Origin>,
    /// Request headers that those pages may send.
    pub cors_allow_headers: Vec<HeaderName>,
    /// Number of proxies in front that append to `x-forwarded-for`.
    pub trusted_hops: u8,
    /// Secrets of the edge, any of which is good; empty if none is asked for.
    pub feed_secrets: Vec<SecretString>,
    request_ids: RequestIds,
}

/// `true` once the service is about to stop: it is no longer ready, and still serves.
#[derive(Clone, Debug, Default)]
pub struct Draining(Arc<AtomicBool>);

/// Request IDs of this process: a random part, so that no two processes give the same ones, and a number.
struct RequestIds {
    run: u64,
    next: AtomicU64,
}

/// Reason that a state is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StateError {
    /// `REFRESH_JWT_SECRET` holds no secret.
    #[error("there is no secret to sign refresh tokens with; set REFRESH_JWT_SECRET")]
    NoRefreshSecret,
    /// The system gave no random bytes.
    #[error("the system has no randomness to give")]
    NoRandomness,
}

impl AppState {
    /// Makes the state of a service with these settings.
    ///
    /// # Errors
    /// [`StateError::NoRefreshSecret`] if the settings hold none, [`StateError::NoRandomness`] if `random` fails.
    pub fn new(
        config: &Config,
        db: PgPool,
        keys: KeySet,
        clock: Arc<dyn Clock>,
        random: &Random,
    ) -> Result<Self, StateError> {
        let (settings, http) = (&config.tokens, &config.http);
        let cores = thread::available_parallelism().map_or(1, Into::into);
        let mut run = [0; 8];
        random.fill(&mut run).map_err(|_| StateError::NoRandomness)?;
        let access = AccessTokens {
            keys: CurrentKeys::new(keys),
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            ttl: settings.access_ttl,
        };
        let lifetimes = settings.lifetimes;
        let refresh = RefreshTokens::new(settings.issuer.clone(), lifetimes.idle, &settings.refresh_secrets)
            .ok_or(StateError::NoRefreshSecret)?;
        let metrics = Metrics::new();
        metrics.keys_changed(clock.now());
        Ok(Self {
            db,
            clock,
            metrics: Arc::new(metrics),
            tokens: Arc::new(Tokens { access, refresh, lifetimes }),
            hasher: Arc::new(PasswordHasher::new(config.hashing.bcrypt_cost, cores, Arc::clone(random))),
            cookies: Arc::new(CookiePolicy::new(&config.cookies, settings.access_ttl, lifetimes.idle)),
            http: Arc::new(HttpPolicy {
                base_path: http.base_path.clone(),
                origins: http.origins.clone(),
                cors_allow_headers: http.cors_allow_headers.clone(),
                trusted_hops: http.trusted_hops,
                feed_secrets: config.feed.secrets.clone(),
                request_ids: RequestIds { run: u64::from_be_bytes(run), next: AtomicU64::new(1) },
            }),
            draining: Draining::default(),
        })
    }

    /// Context of a use case that this caller calls.
    #[must_use]
    pub fn context(&self, caller: Caller) -> Context {
        Context {
            db: self.db.clone(),
            clock: Arc::clone(&self.clock),
            metrics: Arc::clone(&self.metrics),
            access_ttl: self.tokens.access.ttl,
            caller,
        }
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }
}

impl HttpPolicy {
    /// A request ID that no other request has.
    #[must_use]
    pub fn next_request_id(&self) -> RequestId {
        let RequestIds { run, next } = &self.request_ids;
        RequestId::of_process(*run, next.fetch_add(1, Ordering::Relaxed))
    }
}

impl Draining {
    /// Marks the service as about to stop.
    pub fn start(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// `true` once the service is about to stop.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
