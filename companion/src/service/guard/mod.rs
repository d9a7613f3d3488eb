//! The gate of every use case that checks a secret. `domain::guard` has the rules.
//!
//! An attempt is charged to its buckets before the secret is checked: of many at the same time, no more are checked than
//! the buckets hold. A rejected attempt costs no check, and a repeated one no SQL either.

mod attempt;
mod notice;
mod permit;
mod recent_rejections;

use quick_cache::sync::Cache;
use secrecy::SecretString;
use time::OffsetDateTime;

pub use self::attempt::Attempt;
pub use self::notice::{charge_notice, charge_wrong_factor, forget_notices};
pub use self::permit::Permit;
use self::recent_rejections::RecentRejections;
use super::{Context, Error};
use crate::db::{attempts, bans};
use crate::domain::SessionId;
use crate::domain::account::email::Email;
use crate::domain::audit::Event;
use crate::domain::factor::ticket::Ticket;
use crate::domain::guard::{
    AttemptRejection, Authenticator, Ban, Bucket, BucketKey, BucketState, Buckets, Limits,
};
use crate::domain::mail::MailKind;
use crate::domain::token::device_token::DeviceTokens;
use crate::domain::token::jws::SigningError;

/// Maximum number of clients whose made-up refresh tokens are counted, and of such tokens that are known. Chosen: 100 bytes
/// each.
const MAX_MADE_UP: usize = 10_000;

/// Limits on guessing.
pub struct Guard {
    buckets: Buckets,
    devices: DeviceTokens,
    rejections: RecentRejections,
    /// Arrival times of the buckets of made-up refresh tokens. They are of this process: a shared count would be a
    /// statement for each token, which costs us more than the rejection.
    made_up: Cache<BucketKey, OffsetDateTime>,
    /// Fingerprints of such tokens. A client repeats its token for every request of a page, which counts once.
    made_up_tokens: Cache<BucketKey, ()>,
}

impl Guard {
    /// Takes the limits, and the secrets that all companions share, the newest first. `None` if there is no secret.
    #[must_use]
    pub fn new(limits: Limits, secrets: &[SecretString]) -> Option<Self> {
        Some(Self {
            buckets: Buckets::new(secrets.first()?, limits),
            devices: DeviceTokens::new(secrets)?,
            rejections: RecentRejections::default(),
            made_up: Cache::new(MAX_MADE_UP),
            made_up_tokens: Cache::new(MAX_MADE_UP),
        })
    }

    /// Returns the attempt of the caller to sign in to an account by one of its authenticators. These device tokens tell if the
    /// device is known to it.
    #[must_use]
    pub fn login<'a>(
        &self,
        context: &Context,
        authenticator: Authenticator,
        email: &'a Email,
        device_tokens: &[String],
    ) -> Attempt<'a> {
        let device = self.devices.find(&self.devices.read(device_tokens, context.now()), email);
        let buckets = self.buckets.of_login(authenticator, context.caller.client(), email, device);
        self.attempt(buckets, authenticator, email)
    }

    /// Returns the attempt of a signed-in user to prove an authenticator again.
    #[must_use]
    pub fn reauthentication<'a>(
        &self,
        authenticator: Authenticator,
        email: &'a Email,
        session: SessionId,
    ) -> Attempt<'a> {
        let buckets = self.buckets.of_reauthentication(authenticator, email, session);
        self.attempt(buckets, authenticator, email)
    }

    fn attempt<'a>(
        &self,
        buckets: Vec<Bucket>,
        authenticator: Authenticator,
        email: &'a Email,
    ) -> Attempt<'a> {
        let unknown_devices = Some(self.buckets.key_of_unknown_devices(authenticator, email));
        Attempt { buckets, email: Some(email), unknown_devices }
    }

    /// Returns the attempt of the caller to register.
    #[must_use]
    pub fn registration(&self, context: &Context) -> Attempt<'static> {
        Attempt::without_account(self.buckets.of_registration(context.caller.client()))
    }

    /// Returns the attempt of the caller, who is nobody yet, to be asked for a passkey. These device tokens tell if the device is
    /// known to any account.
    #[must_use]
    pub fn passkey_request(&self, context: &Context, device_tokens: &[String]) -> Attempt<'static> {
        let accounts = self.devices.read(device_tokens, context.now());
        Attempt::without_account(self.buckets.of_passkey_request(context.caller.client(), accounts.last()))
    }

    /// Returns the attempt of the caller to be asked for a passkey that completes a pending login.
    #[must_use]
    pub fn completion_request(&self, ticket: &Ticket) -> Attempt<'static> {
        Attempt::without_account(vec![self.buckets.of_pending_login(&ticket.hash())])
    }

    /// Returns the attempt of the caller to have a mail of a kind sent.
    #[must_use]
    pub fn mail(&self, context: &Context, kind: MailKind, recipient: &Email) -> Attempt<'static> {
        Attempt::without_account(self.buckets.of_mail(context.caller.client(), kind, recipient))
    }

    /// Returns the attempt of the caller to use a link or a code of a mail.
    #[must_use]
    pub fn one_time_token(&self, context: &Context) -> Attempt<'static> {
        Attempt::without_account(self.buckets.of_one_time_token(context.caller.client()))
    }

    /// Returns the time of the last login of a device with these tokens to an account, in seconds since 1970. `None` if the account
    /// does not know it.
    #[must_use]
    pub fn last_login(&self, context: &Context, email: &Email, device_tokens: &[String]) -> Option<i64> {
        self.devices.last_login(&self.devices.read(device_tokens, context.now()), email)
    }

    /// Returns the token of a device that has signed in to an account with this session, and had these tokens before.
    ///
    /// # Errors
    /// [`SigningError`] if the secret does not sign.
    pub fn device_token(
        &self,
        context: &Context,
        email: &Email,
        session: SessionId,
        device_tokens: &[String],
    ) -> Result<String, SigningError> {
        let now = context.now();
        self.devices.sign(self.devices.read(device_tokens, now), email, session, now)
    }
}

/// Charges an attempt to its buckets. No connection is held when this returns.
///
/// # Errors
/// [`Error::TooManyAttempts`] if a bucket rejects it; [`Error::Unavailable`] and [`Error::Database`] if the database
/// fails: without the count, there is no check.
pub async fn admit(context: &Context, guard: &Guard, attempt: Attempt<'_>) -> Result<Permit, Error> {
    let now = context.now();
    let rejections = match guard.rejections.find(&attempt.buckets, now) {
        Some(known) => vec![known],
        None if attempt.buckets.is_empty() => Vec::new(),
        None => charge(context, guard, &attempt, now).await?,
    };
    for rejection in &rejections {
        context.metrics.count_rejected_attempt(rejection.bucket.kind.label());
        if let Some(ban) = guard.rejections.record(rejection, now)
            && set_ban(context, &ban).await
        {
            guard.rejections.record_ban(&rejection.bucket.key, &ban);
        }
    }
    let Some(longest) = rejections.iter().max_by_key(|rejection| rejection.until) else {
        return Ok(Permit::new(attempt.buckets, attempt.unknown_devices));
    };
    if attempt.email.is_some() {
        context.report(&Event::LoginRejected("too_many_attempts"), None, None);
    }
    Err(Error::TooManyAttempts { limit: longest.bucket.limit, retry_after: longest.until - now })
}

/// Charges an attempt by SQL, and returns the rejections.
async fn charge(
    context: &Context,
    guard: &Guard,
    attempt: &Attempt<'_>,
    now: OffsetDateTime,
) -> Result<Vec<AttemptRejection>, Error> {
    let Attempt { buckets, email, .. } = attempt;
    let mut connection = context.connection().await?;
    let empty = attempts::charge(&mut connection, buckets, *email, now).await?;
    let charged = || buckets.iter().filter(|bucket| !empty.contains(bucket));
    guard.rejections.forget(charged());
    // Nothing is compared, so a known device has neither failed nor cost a hash. Addresses stay charged, which bans them.
    let uncompared: Vec<_> = charged().filter(|bucket| bucket.kind.is_of_known_device()).copied().collect();
    if !empty.is_empty() && !uncompared.is_empty() {
        attempts::refund(&mut connection, &uncompared).await?;
    }
    let mut rejections = Vec::with_capacity(empty.len());
    for bucket in empty {
        // A bucket that was cleared meanwhile rejects this attempt all the same.
        let cleared = BucketState { arrival: now, failures: 0 };
        let state = attempts::read(&mut connection, &bucket.key).await?.unwrap_or(cleared);
        let rejection = AttemptRejection::new(bucket, state, now);
        if rejection.full_at < state.arrival {
            attempts::clamp(&mut connection, &bucket.key, rejection.full_at).await?;
        }
        rejections.push(rejection);
    }
    Ok(rejections)
}

/// Counts a refresh token of the caller that nobody signed, and bans the client that presents too many of them. The
/// caller is rejected in any case, and tokens that are ours are accepted in any case: the ban spares the gateway requests
/// that it would hold.
pub async fn count_made_up_token(context: &Context, guard: &Guard, token: &str) {
    let Some((network, key, fingerprint)) = guard.buckets.of_refresh(context.caller.client(), token) else {
        return;
    };
    if guard.made_up_tokens.get(&fingerprint).is_some() {
        return;
    }
    guard.made_up_tokens.insert(fingerprint, ());
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

/// Sets a ban for the gateways. Without it they forward the attempts, which are rejected here. Returns `true` if it is set.
async fn set_ban(context: &Context, ban: &Ban) -> bool {
    let (network, scope, until) = (ban.network, ban.scope.as_str(), ban.until.unix_timestamp());
    let set = async { bans::set(&mut *context.connection().await?, ban).await };
    match set.await {
        Ok(true) => {
            context.metrics.count_ban(scope);
            tracing::warn!(%network, scope, until, "banned a network for too many attempts");
            return true;
        }
        Ok(false) => tracing::warn!(%network, scope, "cannot ban a network: the table bans is full"),
        Err(cause) => tracing::warn!(%network, scope, cause = %Error::from(cause), "cannot ban a network"),
    }
    false
}
