//! The device token: it says that its holder has signed in to some accounts before, and nothing more (OWASP, "Slow Down
//! Online Guessing Attacks with Device Cookies"). `domain::guard` gives such a device a bucket of its own for each account.

use std::cmp::Reverse;
use std::collections::HashSet;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::jws::{self, SigningError, Unverified};
use crate::domain::SessionId;
use crate::domain::account::email::Email;

/// Lifetime of a device token. Chosen: people sign in anew at least once a year.
pub const LIFETIME: Duration = Duration::days(365);

/// Maximum number of tokens of a request that are read. A browser sends one; more are planted.
const MAX_TOKENS: usize = 4;
/// Maximum number of accounts that a device is known to. Chosen: a family has as many, and the cookie stays below 1 KiB.
const MAX_ACCOUNTS: usize = 4;

/// Header `typ` of a device token. No other token may have it (RFC 8725 §3.11).
const DEVICE_TOKEN_TYP: &str = "dt+jwt";

/// Signs and verifies device tokens.
pub struct DeviceTokens {
    signing: Secret,
    verifying: Vec<Secret>,
}

/// Keys that are derived from one secret, so that no other token of the secret passes for a device token.
struct Secret {
    account: hmac::Key,
    signing: EncodingKey,
    verifying: DecodingKey,
}

/// Accounts that a device has signed in to.
pub struct KnownAccounts(Vec<KnownAccount>);

#[derive(Serialize, Deserialize)]
struct KnownAccount {
    /// Keyed hash of the e-mail address.
    sub: String,
    /// Session that the device became known by. It identifies the device for this account.
    jti: String,
    /// Time of the last login.
    iat: i64,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    accounts: Vec<KnownAccount>,
}

impl KnownAccounts {
    /// Returns the account that the device has signed in to last, as a keyed hash, and the session that it became known to it by.
    /// `None` if it is known to none.
    #[must_use]
    pub fn last(&self) -> Option<(&str, SessionId)> {
        let last = self.0.iter().max_by_key(|account| account.iat)?;
        Some((&last.sub, last.jti.parse().ok()?))
    }
}

impl DeviceTokens {
    /// Takes the secrets, the newest first: that one signs, and all of them verify. `None` if there is no secret.
    #[must_use]
    pub fn new(secrets: &[SecretString]) -> Option<Self> {
        let verifying: Vec<Secret> = secrets.iter().map(Secret::derive).collect();
        Some(Self { signing: Secret::derive(secrets.first()?), verifying })
    }

    /// Reads the tokens of a request, the first four. One that is not ours is ignored, and so is an account whose last
    /// login is older than [`LIFETIME`].
    #[must_use]
    pub fn read(&self, tokens: &[String], now: OffsetDateTime) -> KnownAccounts {
        let accounts = tokens.iter().take(MAX_TOKENS).filter_map(|token| self.verify(token)).flatten();
        let oldest = (now - LIFETIME).unix_timestamp();
        KnownAccounts(accounts.filter(|account| account.iat > oldest).collect())
    }

    /// Returns the session that the device became known to an account by. `None` if it is unknown to the account.
    #[must_use]
    pub fn find(&self, accounts: &KnownAccounts, email: &Email) -> Option<SessionId> {
        self.account(accounts, email)?.jti.parse().ok()
    }

    /// Returns the time of the last login of the device to an account, in seconds since 1970. `None` if it is unknown to the account.
    #[must_use]
    pub fn last_login(&self, accounts: &KnownAccounts, email: &Email) -> Option<i64> {
        Some(self.account(accounts, email)?.iat)
    }

    fn account<'a>(&self, accounts: &'a KnownAccounts, email: &Email) -> Option<&'a KnownAccount> {
        let names: Vec<String> = self.verifying.iter().map(|secret| secret.hash(email)).collect();
        accounts.0.iter().find(|account| names.contains(&account.sub))
    }

    /// Signs the token of a device that has signed in to an account with this session. It keeps its identity for an account that
    /// it is known to, and the token holds the last four accounts.
    ///
    /// # Errors
    /// [`SigningError`] if the secret does not sign.
    pub fn sign(
        &self,
        known: KnownAccounts,
        email: &Email,
        session: SessionId,
        now: OffsetDateTime,
    ) -> Result<String, SigningError> {
        let identity = self.find(&known, email).unwrap_or(session);
        let mut seen: HashSet<String> = self.verifying.iter().map(|secret| secret.hash(email)).collect();
        let sub = self.signing.hash(email);
        let mut accounts = vec![KnownAccount { sub, jti: identity.to_string(), iat: now.unix_timestamp() }];
        let mut others = known.0;
        others.sort_by_key(|account| Reverse(account.iat));
        // Several tokens of a request may have the same account.
        accounts.extend(others.into_iter().filter(|account| seen.insert(account.sub.clone())));
        accounts.truncate(MAX_ACCOUNTS);
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(DEVICE_TOKEN_TYP.to_owned());
        jws::sign(&header, &Claims { accounts }, |message| jws::hmac(message, &self.signing.signing))
    }

    fn verify(&self, token: &str) -> Option<Vec<KnownAccount>> {
        let token = Unverified::split(token).ok()?;
        let header = token.header().ok()?;
        if header.alg != Algorithm::HS256
            || header.typ.as_deref() != Some(DEVICE_TOKEN_TYP)
            || header.crit.is_some()
        {
            return None;
        }
        let verify = |secret: &Secret| token.verify(&header, &secret.verifying).ok();
        self.verifying.iter().find_map(verify).map(|claims: Claims| claims.accounts)
    }
}

impl Secret {
    fn derive(secret: &SecretString) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        let derive = |purpose: &[u8]| hmac::sign(&secret, purpose);
        let signing = derive(b"edgeward device token: signature");
        let account = derive(b"edgeward device token: account");
        Self {
            account: hmac::Key::new(hmac::HMAC_SHA256, account.as_ref()),
            signing: EncodingKey::from_secret(signing.as_ref()),
            verifying: DecodingKey::from_secret(signing.as_ref()),
        }
    }

    fn hash(&self, email: &Email) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.account, email.as_str().as_bytes()))
    }
}

#[cfg(test)]
mod tests;
