//! Users for trying rules: tokens that are signed with a throw-away key.

use std::str::FromStr;

use anyhow::{Context as _, anyhow, bail};
use aws_lc_rs::rsa::KeySize;
use edgeward_filter::keys::KeySet;
use edgeward_filter::policy::Policy;
use edgeward_wire::authentication::METHODS;
use time::{Duration, OffsetDateTime};

use super::request_head::RequestHead;
use crate::domain::account::role::Role;
use crate::domain::session::TokenContent;
use crate::domain::session::authentication::{Authentication, Methods, Proof};
use crate::domain::token::access_token::AccessTokens;
use crate::domain::token::key_set::KeySet as SigningKeys;
use crate::domain::token::refresh_token::RefreshClaims;
use crate::domain::token::rsa_key::PrivateKey;
use crate::domain::{SessionId, UserId};

/// Lifetime of a token.
const TTL: Duration = Duration::hours(1);

/// User whose tokens a request has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TestUser {
    /// Role; without one there is no access token.
    pub(super) role: Option<Role>,
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
    /// Age of the user's last authentication, in seconds.
    pub(super) auth_age_s: u32,
    /// Methods of that authentication.
    pub(super) methods: Methods,
    /// `true` if the access token has expired.
    pub(super) is_expired: bool,
    /// `true` if the request has a refresh-token cookie, too.
    pub(super) has_refresh_token: bool,
}

impl Default for TestUser {
    fn default() -> Self {
        Self {
            role: None,
            user_id: UserId(1),
            session_id: SessionId(1),
            auth_age_s: 0,
            methods: Proof::Password.methods(),
            is_expired: false,
            has_refresh_token: false,
        }
    }
}

/// Throw-away key that signs the tokens.
pub(super) struct TestKey(SigningKeys);

impl TestKey {
    pub(super) fn generate() -> anyhow::Result<Self> {
        let key = PrivateKey::generate(KeySize::Rsa2048).context("no key could be generated")?;
        Ok(Self(SigningKeys::new(key, Vec::new())))
    }

    /// Key set that verifies the tokens.
    pub(super) fn verifying(&self) -> anyhow::Result<KeySet> {
        KeySet::read(self.0.published()).map_err(|flaw| anyhow!("{flaw}"))
    }

    /// Puts the user's cookies into a request, in place of the access token that it has.
    pub(super) fn sign_in(
        &self,
        head: &mut RequestHead,
        user: &TestUser,
        policy: &Policy,
        now: u64,
    ) -> anyhow::Result<()> {
        let cookies = &policy.cookies;
        head.remove_cookie(&cookies.access);
        if let Some(role) = &user.role {
            let now = i64::try_from(now)?;
            let age = if user.is_expired { Duration::DAY } else { Duration::ZERO };
            let issued_at = now.saturating_sub(age.whole_seconds()).max(0);
            let authenticated_at = now.saturating_sub(user.auth_age_s.into()).max(0);
            let content = TokenContent {
                claims: RefreshClaims {
                    user_id: user.user_id,
                    session_id: user.session_id,
                    generation: 1,
                    issued_at,
                },
                role: role.clone(),
                authentication: Authentication {
                    time: OffsetDateTime::from_unix_timestamp(authenticated_at)?,
                    methods: user.methods.clone(),
                },
            };
            let (issuer, audience) = (policy.expected.issuer.clone(), policy.expected.audience.clone());
            let token = AccessTokens { issuer, audience, ttl: TTL }.sign(&self.0, &content)?;
            head.set_cookie(&cookies.access, &token);
        }
        if user.has_refresh_token {
            head.set_cookie(&cookies.refresh, "test");
        }
        Ok(())
    }
}

impl FromStr for TestUser {
    type Err = anyhow::Error;

    /// Reads `role=admin,user=42,session=7,auth_age=600,amr=pwd+mfa,expired,refresh`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut user = Self::default();
        for part in text.split(',').map(str::trim) {
            match part.split_once('=').unwrap_or((part, "")) {
                ("role", role) => user.role = Some(Role::parse(role)?),
                ("user", id) => user.user_id = id.parse().map_err(|fault| anyhow!("user: {fault}"))?,
                ("session", id) => {
                    user.session_id = id.parse().map_err(|fault| anyhow!("session: {fault}"))?;
                }
                ("auth_age", seconds) => {
                    user.auth_age_s =
                        seconds.parse().map_err(|_| anyhow!("auth_age: must be a number of seconds"))?;
                }
                ("amr", names) => user.methods = read_methods(names.split('+'))?,
                ("expired", "") => user.is_expired = true,
                ("refresh", "") => user.has_refresh_token = true,
                (other, _) => bail!(
                    "\"{other}\" is none of role=…, user=…, session=…, auth_age=…, amr=…, expired, refresh"
                ),
            }
        }
        user.check()
    }
}

/// Reads the methods of an authentication.
pub(super) fn read_methods<'a>(names: impl Iterator<Item = &'a str>) -> anyhow::Result<Methods> {
    let names: Vec<String> = names.map(str::to_owned).collect();
    match names.iter().find(|name| !METHODS.contains(&name.as_str())) {
        None => Ok(Methods::stored(names)),
        Some(other) => bail!("amr: \"{other}\" is none of {}", METHODS.join(", ")),
    }
}

impl TestUser {
    /// Returns the user, if a request can have its cookies.
    pub(super) fn check(self) -> anyhow::Result<Self> {
        if self.role.is_none() && !self.has_refresh_token {
            bail!("needs a role, or refresh for a request with a refresh token alone");
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_is_read_from_a_list_of_words() {
        let user: TestUser =
            "role=admin, user=42,session=7,auth_age=600,amr=pwd+otp+mfa,expired,refresh".parse().unwrap();
        let expected = TestUser {
            role: Some(Role::parse("admin").unwrap()),
            user_id: UserId(42),
            session_id: SessionId(7),
            auth_age_s: 600,
            methods: Proof::PasswordAndCode.methods(),
            is_expired: true,
            has_refresh_token: true,
        };
        assert_eq!(user, expected);
        assert_eq!("refresh".parse::<TestUser>().unwrap().role, None);
        for (text, expected) in [
            ("", "\"\" is none of role=…, user=…, session=…, auth_age=…, amr=…, expired, refresh"),
            ("admin", "\"admin\" is none of role=…, user=…, session=…, auth_age=…, amr=…, expired, refresh"),
            ("role=admin,auth_age=x", "auth_age: must be a number of seconds"),
            ("role=admin,amr=pwd+sms", "amr: \"sms\" is none of pwd, otp, pop, mfa"),
            ("user=1", "needs a role, or refresh for a request with a refresh token alone"),
            ("role=Admin", "a role is 1 to 64 of a-z, 0-9, _ and -, and starts with a letter or digit"),
        ] {
            assert_eq!(text.parse::<TestUser>().unwrap_err().to_string(), expected);
        }
        assert!("role=admin,user=x".parse::<TestUser>().is_err());
    }
}
