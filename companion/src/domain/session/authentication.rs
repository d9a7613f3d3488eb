//! The authentication of a session: when its user last proved who they are, and by which methods (RFC 8176). A refresh
//! keeps it, and only a fresh proof replaces it.

use edgeward_wire::authentication::{KEY, MULTI_FACTOR, ONE_TIME_PASSWORD, PASSWORD};
use edgeward_wire::clock::MAX_GAP_S;
use time::{Duration, OffsetDateTime};

use super::{Lifetimes, Session, Step};
use crate::domain::FactorId;

/// Last proof of who the user of a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// Time of the proof.
    pub time: OffsetDateTime,
    /// Methods of the proof.
    pub methods: Methods,
}

/// Methods of a proof, by their names. Those that a newer version has stored stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Methods(Vec<String>);

/// Proof of who a user is, complete as a sign-in demands it of this user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Password alone.
    Password,
    /// Password, and a code of an app or of the list of recovery codes.
    PasswordAndCode,
    /// Password, and this passkey as the second factor.
    PasswordAndPasskey(FactorId),
    /// This passkey alone, whose authenticator has asked for a PIN or a fingerprint, which is a factor of its own.
    Passkey(FactorId),
}

impl Proof {
    /// Returns the methods of the proof.
    #[must_use]
    pub fn methods(self) -> Methods {
        let names: &[&str] = match self {
            Self::Password => &[PASSWORD],
            Self::PasswordAndCode => &[PASSWORD, ONE_TIME_PASSWORD, MULTI_FACTOR],
            Self::PasswordAndPasskey(_) => &[PASSWORD, KEY, MULTI_FACTOR],
            Self::Passkey(_) => &[KEY, MULTI_FACTOR],
        };
        Methods(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// Returns the passkey that was used; `None` if it was none.
    #[must_use]
    pub fn passkey(self) -> Option<FactorId> {
        match self {
            Self::Password | Self::PasswordAndCode => None,
            Self::PasswordAndPasskey(id) | Self::Passkey(id) => Some(id),
        }
    }
}

impl Methods {
    /// Takes stored names.
    #[must_use]
    pub fn stored(names: Vec<String>) -> Self {
        Self(names)
    }

    /// Returns the names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Returns `true` if a method is among them.
    #[must_use]
    pub fn contains(&self, method: &str) -> bool {
        self.0.iter().any(|name| name == method)
    }
}

impl Authentication {
    /// Makes the authentication by a proof at `time`.
    #[must_use]
    pub fn new(time: OffsetDateTime, proof: Proof) -> Self {
        Self { time, methods: proof.methods() }
    }

    /// Returns `true` if the proof is at most `max_age` old at `now`. One that is dated ahead by more than the clocks of two
    /// companions may differ is from before a clock was set back, and does not count.
    #[must_use]
    pub fn is_recent(&self, max_age: Duration, now: OffsetDateTime) -> bool {
        self.time <= now + Duration::seconds(MAX_GAP_S.into()) && now <= self.time + max_age
    }
}

impl Session {
    /// Returns the session after a fresh proof of its user. What was proved before no longer counts: a rule that demands two
    /// factors of today must not be met by the password of today and the code of yesterday.
    ///
    /// The tokens get the date of now, as by [`Step::Renew`], and the generation stays. The caller gets an access token alone:
    /// a late response with the refresh token could take the browser back to a generation that others have left behind.
    #[must_use]
    pub fn authenticate(self, proof: Proof, lifetimes: &Lifetimes, now: OffsetDateTime) -> Self {
        let live = self.generation;
        let renewed = self.apply(Step::Renew, live, lifetimes, now);
        Self { authentication: Authentication::new(now, proof), ..renewed }
    }
}

#[cfg(test)]
mod tests {
    use edgeward_wire::authentication::{MAX_METHODS, METHODS};

    use super::*;

    #[test]
    fn proof_of_two_factors_is_multi_factor() {
        for (proof, expected) in [
            (Proof::Password, &["pwd"][..]),
            (Proof::PasswordAndCode, &["pwd", "otp", "mfa"]),
            (Proof::PasswordAndPasskey(FactorId(1)), &["pwd", "pop", "mfa"]),
            (Proof::Passkey(FactorId(1)), &["pop", "mfa"]),
        ] {
            let methods = proof.methods();
            assert_eq!(methods.names(), expected, "{proof:?}");
            assert!(methods.names().iter().all(|name| METHODS.contains(&name.as_str())), "{proof:?}");
            assert!(methods.names().len() <= MAX_METHODS);
            assert_eq!(methods.contains(MULTI_FACTOR), expected.len() > 1, "{proof:?}");
        }
    }

    #[test]
    fn proof_is_recent_up_to_its_maximum_age() {
        let now = time::macros::datetime!(2030-01-01 00:00 UTC);
        for (age, expected) in [(0, true), (300, true), (301, false), (-60, true), (-61, false)] {
            let authentication = Authentication::new(now - Duration::seconds(age), Proof::Password);
            assert_eq!(authentication.is_recent(Duration::seconds(300), now), expected, "{age}");
        }
    }
}
