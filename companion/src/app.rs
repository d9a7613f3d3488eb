//! What handlers share. It is made once at the start and decides nothing by itself.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use aws_lc_rs::rand::SecureRandom;
use axum::http::HeaderName;
use edgeward_wire::Origin;
use secrecy::SecretString;
use sqlx::PgPool;
use thiserror::Error;
use time::OffsetDateTime;

use crate::config::Config;
use crate::domain::access_token::AccessTokens;
use crate::domain::clock::Clock;
use crate::domain::hashing::PasswordHasher;
use crate::domain::key_set::{CurrentKeys, KeySet};
use crate::domain::refresh_token::RefreshTokens;
use crate::domain::session::Lifetimes;
use crate::http::cookies::CookiePolicy;

/// The shared state of every handler.
pub struct App {
    /// Connections to Postgres.
    pub pool: PgPool,
    /// Makes and verifies access tokens.
    pub access_tokens: AccessTokens,
    /// Makes and verifies refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// How long sessions live.
    pub lifetimes: Lifetimes,
    /// Hashes and compares passwords.
    pub passwords: PasswordHasher,
    /// How cookies are marked.
    pub cookies: CookiePolicy,
    /// Where the API is: empty, or `/api`.
    pub base_path: String,
    /// Whose pages may call with cookies.
    pub origins: Vec<Origin>,
    /// Request headers that those pages may send.
    pub cors_allow_headers: Vec<HeaderName>,
    /// Number of proxies in front that append to `x-forwarded-for`.
    pub trusted_hops: u8,
    /// `true` once the service is about to stop: it is no longer ready, and still serves.
    pub draining: AtomicBool,
    /// What the edge says to be told anything; empty: it need not.
    pub feed_secrets: Vec<SecretString>,
    /// Starts every request ID of this process, so that two processes do not use the same ones.
    pub run_id: [u8; 8],
    clock: Arc<dyn Clock>,
}

/// Where randomness comes from.
pub type Random = Arc<dyn SecureRandom + Send + Sync>;

/// Cause of a shared state that cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AppError {
    /// `REFRESH_JWT_SECRET` holds no secret.
    #[error("there is no secret to sign refresh tokens with; set REFRESH_JWT_SECRET")]
    NoRefreshSecret,
    /// The system gave no random bytes.
    #[error("the system has no randomness to give")]
    NoRandomness,
}

impl App {
    /// Builds the state of a service with these settings.
    ///
    /// # Errors
    /// [`AppError::NoRefreshSecret`] if the settings hold none, [`AppError::NoRandomness`] if `random` fails.
    pub fn new(
        config: &Config,
        pool: PgPool,
        keys: KeySet,
        clock: Arc<dyn Clock>,
        random: &Random,
    ) -> Result<Arc<Self>, AppError> {
        let tokens = &config.tokens;
        let cores = thread::available_parallelism().map_or(1, Into::into);
        let mut run_id = [0; 8];
        random.fill(&mut run_id).map_err(|_| AppError::NoRandomness)?;
        Ok(Arc::new(Self {
            pool,
            access_tokens: AccessTokens {
                keys: CurrentKeys::new(keys),
                issuer: tokens.issuer.clone(),
                audience: tokens.audience.clone(),
                ttl: tokens.access_ttl,
            },
            refresh_tokens: RefreshTokens::new(
                tokens.issuer.clone(),
                tokens.lifetimes.idle,
                &tokens.refresh_secrets,
            )
            .ok_or(AppError::NoRefreshSecret)?,
            lifetimes: tokens.lifetimes,
            passwords: PasswordHasher::new(config.hashing.bcrypt_cost, cores, Arc::clone(random)),
            cookies: CookiePolicy::new(&config.cookies, tokens.access_ttl, tokens.lifetimes.idle),
            base_path: config.http.base_path.clone(),
            origins: config.http.origins.clone(),
            cors_allow_headers: config.http.cors_allow_headers.clone(),
            trusted_hops: config.http.trusted_hops,
            draining: AtomicBool::new(false),
            feed_secrets: config.feed.secrets.clone(),
            run_id,
            clock,
        }))
    }

    /// The moment it is.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }
}
