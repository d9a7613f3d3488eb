//! The gate of every use case that checks a secret. `domain::guard` has the rules.
//!
//! An attempt is charged to its buckets before the secret is checked: of many at the same time, no more are checked than
//! the buckets hold. A refused attempt costs no check, and a repeated one no SQL either.

mod permit;
mod refusals;

use quick_cache::sync::Cache;
use secrecy::SecretString;
use time::OffsetDateTime;

pub use self::permit::Permit;
use self::refusals::Refusals;
use super::{Context, Error};
use crate::db::{attempts, bans};
use crate::domain::SessionId;
use crate::domain::account::email::Email;
use crate::domain::audit::Event;
use crate::domain::guard::{Ban, Bucket, BucketKey, BucketState, Buckets, Limits, Refusal};
use crate::domain::token::device_token::DeviceTokens;
use crate::domain::token::jws::SigningError;

/// Maximum number of device tokens of a request that are verified. A browser sends one; more are planted.
const MAX_DEVICE_TOKENS: usize = 4;
/// Maximum number of clients whose made-up refresh tokens are counted. Chosen: 100 bytes each.
const MAX_CLIENTS: usize = 10_000;

/// Limits on guessing.
pub struct Guard {
    buckets: Buckets,
    devices: DeviceTokens,
    refusals: Refusals,
    /// Arrival times of the buckets of made-up refresh tokens. They are of this process: a shared count would be a
    /// statement for each token, which costs us more than the rejection.
    made_up: Cache<BucketKey, OffsetDateTime>,
}

/// Attempt to pass a check.
pub struct Attempt<'a> {
    buckets: Vec<Bucket>,
    email: Option<&'a Email>,
}

impl Guard {
    /// Takes the limits, and the secrets that all companions share, the newest first. `None` if there is no secret.
    #[must_use]
    pub fn new(limits: Limits, secrets: &[SecretString]) -> Option<Self> {
        Some(Self {
            buckets: Buckets::new(secrets.first()?, limits),
            devices: DeviceTokens::new(secrets)?,
            refusals: Refusals::default(),
            made_up: Cache::new(MAX_CLIENTS),
        })
    }

    /// Returns the attempt of the caller to sign in to an account. With one of these device tokens they are known there,
    /// and else a stranger.
    #[must_use]
    pub fn login<'a>(&self, context: &Context, email: &'a Email, device_tokens: &[String]) -> Attempt<'a> {
        let now = context.now();
        let mut tokens = device_tokens.iter().take(MAX_DEVICE_TOKENS);
        let device = tokens.find_map(|token| self.devices.verify(token, email, now));
        let buckets = self.buckets.of_login(context.caller.client(), email, device);
        Attempt { buckets, email: Some(email) }
    }

    /// Returns the attempt of the caller to register.
    #[must_use]
    pub fn registration(&self, context: &Context) -> Attempt<'static> {
        Attempt { buckets: self.buckets.of_registration(context.caller.client()), email: None }
    }

    /// Returns the token of a device that has signed in to an account with this session.
    ///
    /// # Errors
    /// [`SigningError`] if the secret does not sign.
    pub fn device_token(
        &self,
        context: &Context,
        email: &Email,
        session: SessionId,
    ) -> Result<String, SigningError> {
        self.devices.sign(email, session, context.now())
    }
}

/// Charges an attempt to its buckets. No connection is held when this returns.
///
/// # Errors
/// [`Error::TooManyAttempts`] if a bucket refuses it; [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails: without the count, there is no check.
pub async fn admit(context: &Context, guard: &Guard, attempt: Attempt<'_>) -> Result<Permit, Error> {
    let now = context.now();
    let refusals = match guard.refusals.find(&attempt.buckets, now) {
        Some(known) => vec![known],
        None if attempt.buckets.is_empty() => Vec::new(),
        None => charge(context, guard, &attempt, now).await?,
    };
    for refusal in &refusals {
        context.metrics.count_refused_attempt(refusal.bucket.kind.label());
        let in_a_row = guard.refusals.record(refusal, now);
        if let Some(ban) = Ban::for_refusals(refusal, in_a_row, now) {
            set_ban(context, &ban).await;
        }
    }
    let Some(longest) = refusals.iter().max_by_key(|refusal| refusal.until) else {
        let strangers = attempt.email.map(|email| guard.buckets.key_of_strangers(email));
        return Ok(Permit::new(attempt.buckets, strangers));
    };
    if attempt.email.is_some() {
        context.report(&Event::LoginRejected("too_many_attempts"), None, None);
    }
    Err(Error::TooManyAttempts { limit: longest.bucket.limit, retry_after: longest.until - now })
}

/// Charges an attempt by SQL, and returns the refusals.
async fn charge(
    context: &Context,
    guard: &Guard,
    attempt: &Attempt<'_>,
    now: OffsetDateTime,
) -> Result<Vec<Refusal>, Error> {
    let Attempt { buckets, email } = attempt;
    let mut connection = context.connection().await?;
    let refused = attempts::charge(&mut connection, buckets, *email, now).await?;
    guard.refusals.forget(buckets.iter().filter(|bucket| !refused.contains(bucket)));
    let mut refusals = Vec::with_capacity(refused.len());
    for bucket in refused {
        // A bucket that was cleared meanwhile refuses this attempt all the same.
        let cleared = BucketState { arrival: now, failures: 0 };
        let state = attempts::read(&mut connection, &bucket.key).await?.unwrap_or(cleared);
        refusals.push(Refusal::new(bucket, state, now));
    }
    Ok(refusals)
}

/// Counts a refresh token of the caller that nobody signed, and bans the client that presents too many of them. The
/// caller is rejected in any case, and tokens that are ours are accepted in any case: the ban spares the gateway requests
/// that it would hold.
pub async fn count_made_up_token(context: &Context, guard: &Guard) {
    let Some((key, network)) = guard.buckets.of_refresh(context.caller.client()) else { return };
    let now = context.now();
    let arrival = guard.made_up.get(&key).unwrap_or(now);
    match Ban::charge_made_up_token(network, arrival, now) {
        Ok(arrival) => guard.made_up.insert(key, arrival),
        Err(ban) => {
            guard.made_up.remove(&key);
            set_ban(context, &ban).await;
        }
    }
}

/// Sets a ban for the gateways. Without it they forward the attempts, which are refused here.
async fn set_ban(context: &Context, ban: &Ban) {
    let (network, door, until) = (ban.network, ban.door.as_str(), ban.until.unix_timestamp());
    let set = async { bans::set(&mut *context.connection().await?, ban).await };
    match set.await {
        Ok(()) => {
            context.metrics.count_ban(door);
            tracing::warn!(%network, door, until, "banned a network for too many attempts");
        }
        Err(cause) => tracing::warn!(%network, door, cause = %Error::from(cause), "cannot ban a network"),
    }
}
