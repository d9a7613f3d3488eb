//! State that handlers share. A handler extracts the parts that it needs (axum's `FromRef`).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use axum::extract::FromRef;
use axum::http::HeaderName;
use edgeward_wire::Origin;
use secrecy::SecretString;
use serde_json::Value;
use thiserror::Error;
use time::Duration;
use tracing::Span;

use super::cookies::CookiePolicy;
use super::pages::site::Site;
use crate::clock::Clock;
use crate::config::{Config, KeyStore};
use crate::domain::RequestId;
use crate::domain::caller::Caller;
use crate::domain::token::access_token::AccessTokens;
use crate::domain::token::form_token::FormTokens;
use crate::domain::token::key_set::KeySet;
use crate::domain::token::refresh_token::RefreshTokens;
use crate::hashing::PasswordHasher;
use crate::keys::current::CurrentKeys;
use crate::random::Random;
use crate::service::edge::FeedPublisher;
use crate::service::factor::Factors;
use crate::service::guard::Guard;
use crate::service::mail::Mailing;
use crate::service::maintenance::Readiness;
use crate::service::{Context, Pool, Tokens};
use crate::telemetry::metrics::Metrics;

/// State of the service.
#[derive(Clone, FromRef)]
pub struct AppState {
    /// Connections to Postgres.
    #[from_ref(skip)]
    pub db: Pool,
    /// Source of the time.
    #[from_ref(skip)]
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Signs and verifies tokens.
    pub tokens: Arc<Tokens>,
    /// Hashes and compares passwords.
    pub hasher: Arc<PasswordHasher>,
    /// Limits on guessing.
    pub guard: Arc<Guard>,
    /// Writing of mails.
    pub mail: Arc<Mailing>,
    /// Keys and randomness of second factors.
    pub factors: Arc<Factors>,
    /// Result of the last readiness check.
    pub readiness: Arc<Readiness>,
    /// Edge feed.
    pub feed: Arc<FeedPublisher>,
    /// Attributes of the cookies.
    pub cookies: Arc<CookiePolicy>,
    /// Policy for reading requests.
    pub http: Arc<HttpPolicy>,
    /// Site of the pages.
    pub site: Arc<Site>,
    /// `true` once the service is about to stop.
    pub draining: Draining,
}

/// Policy for reading requests: base path, CORS, trusted proxies, the edge's secrets.
pub struct HttpPolicy {
    /// Base path of the API: empty, or `/api`.
    pub base_path: String,
    /// Origins whose pages may send requests with cookies.
    pub origins: Vec<Origin>,
    /// Request header fields that those pages may send.
    pub cors_allow_headers: Vec<HeaderName>,
    /// Number of trusted proxies that append to `x-forwarded-for`.
    pub trusted_hops: u8,
    /// `true` if the service describes its API: `API_DOCS`.
    pub has_docs: bool,
    /// `true` if a registration does not tell if the e-mail address was known: `REGISTRATION_HIDES_EMAILS`.
    pub registration_hides_emails: bool,
    /// Maximum age of the last authentication on routes that demand a recent one: `AUTHENTICATION_MAX_AGE_SECONDS`.
    pub authentication_max_age: Duration,
    /// OpenAPI document, made at the first request for it: most services never get one.
    pub openapi: OnceLock<Value>,
    /// Valid secrets of the edge; empty if none is required.
    pub feed_secrets: Vec<SecretString>,
    request_ids: RequestIds,
}

/// Flag that is set once the service is about to stop. It still serves, but is no longer ready.
#[derive(Clone, Debug, Default)]
pub struct Draining(Arc<AtomicBool>);

/// Generator of request IDs: a random part, so that they differ between processes, and a counter.
struct RequestIds {
    run: u64,
    next: AtomicU64,
}

/// Failure to make the state.
#[derive(Debug, Error)]
pub enum StateError {
    /// `REFRESH_JWT_SECRET` holds no secret.
    #[error("no secret to sign refresh tokens with; set REFRESH_JWT_SECRET")]
    NoRefreshSecret,
    /// The system has no random bytes.
    #[error("cannot read random bytes from the system")]
    NoRandomness,
    /// The style sheet cannot be written.
    #[error("cannot write the style sheet: {0}")]
    Style(#[from] askama::Error),
    /// The system starts no thread that hashes passwords.
    #[error("cannot start the threads that hash passwords; raise the limit of threads (ulimit -u, pids.max)")]
    NoThread,
}

impl AppState {
    /// Makes the state of a service with these settings.
    ///
    /// # Errors
    /// [`StateError::NoRefreshSecret`] if the settings hold none, [`StateError::NoRandomness`] if `random` fails,
    /// [`StateError::NoThread`] if the system starts none.
    pub fn new(
        config: &Config,
        db: Pool,
        keys: KeySet,
        clock: Arc<dyn Clock>,
        random: &Random,
    ) -> Result<Self, StateError> {
        let (settings, http) = (&config.tokens, &config.http);
        let mut run = [0; 8];
        random.fill(&mut run).map_err(|_| StateError::NoRandomness)?;
        let access = AccessTokens {
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            ttl: settings.access_ttl,
        };
        let lifetimes = settings.lifetimes;
        let refresh = RefreshTokens::new(settings.issuer.clone(), lifetimes.idle, &settings.refresh_secrets)
            .ok_or(StateError::NoRefreshSecret)?;
        let guard =
            Guard::new(config.limits, &settings.refresh_secrets).ok_or(StateError::NoRefreshSecret)?;
        let forms = FormTokens::new(&settings.refresh_secrets);
        let key_encryption = match &config.keys {
            KeyStore::Database(keys) => Some(keys),
            KeyStore::Folder(_) => None,
        };
        let (secrets, site) = (&settings.refresh_secrets, config.site.name.clone());
        let party = config.passkeys.party.clone();
        let rp_id = party.as_ref().map(|party| party.id().to_owned());
        let factors = Factors::new(key_encryption, secrets, Arc::clone(random), site, party);
        let metrics = Arc::new(Metrics::new());
        metrics.keys_changed(clock.now());
        // One for each core: they take what the other threads leave.
        let workers = thread::available_parallelism().map_or(1, Into::into);
        let (hashing, hash_metrics) = (&config.hashing, Arc::clone(&metrics));
        let hasher = PasswordHasher::start(
            hashing.bcrypt_cost,
            hashing.policy,
            workers,
            Arc::clone(random),
            hash_metrics,
        )
        .map_err(|_| StateError::NoThread)?;
        Ok(Self {
            db,
            clock,
            metrics,
            tokens: Arc::new(Tokens { keys: CurrentKeys::new(keys), access, refresh, lifetimes }),
            hasher: Arc::new(hasher),
            guard: Arc::new(guard),
            mail: Arc::new(Mailing::new(config.mail.kinds, &settings.refresh_secrets, Arc::clone(random))),
            factors: Arc::new(factors),
            readiness: Arc::default(),
            feed: Arc::default(),
            cookies: Arc::new(CookiePolicy::new(&config.cookies, settings.access_ttl, lifetimes.idle)),
            site: Arc::new(Site::new(
                (&config.pages, &config.site, config.mail.kinds),
                &config.cookies,
                http,
                (forms, rp_id),
                Arc::clone(random),
            )?),
            http: Arc::new(HttpPolicy {
                base_path: http.base_path.clone(),
                origins: http.origins.clone(),
                cors_allow_headers: http.cors_allow_headers.clone(),
                trusted_hops: http.trusted_hops,
                has_docs: http.has_docs,
                registration_hides_emails: http.registration_hides_emails,
                authentication_max_age: settings.authentication_max_age,
                openapi: OnceLock::new(),
                feed_secrets: config.feed.secrets.clone(),
                request_ids: RequestIds { run: u64::from_be_bytes(run), next: AtomicU64::new(1) },
            }),
            draining: Draining::default(),
        })
    }

    /// Makes the context of a use case for this caller.
    #[must_use]
    pub fn context(&self, caller: Caller) -> Context {
        Context {
            db: self.db.clone(),
            clock: Arc::clone(&self.clock),
            metrics: Arc::clone(&self.metrics),
            access_ttl: self.tokens.access.ttl,
            mail: Arc::clone(&self.mail),
            caller,
            request_span: Span::current(),
        }
    }
}

impl HttpPolicy {
    /// Returns a new request ID.
    #[must_use]
    pub fn next_request_id(&self) -> RequestId {
        let RequestIds { run, next } = &self.request_ids;
        RequestId::of_process(*run, next.fetch_add(1, Ordering::Relaxed))
    }
}

impl Draining {
    /// Sets the flag.
    pub fn start(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns `true` once the flag is set.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
