//! Second factors of a user: authenticator apps (TOTP), passkeys, and recovery codes, which replace either once.

pub mod challenge;
pub mod code;
pub mod disowned;
pub mod passkey;
pub mod recovery_code;
pub mod ticket;
pub mod totp;
pub mod user_handle;
mod way;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use time::{Duration, OffsetDateTime};

use self::user_handle::UserHandle;
pub use self::way::Way;
use super::FactorId;
use super::account::name::Name;

/// Maximum number of factors of a user. Chosen: more than anybody carries.
pub const MAX_FACTORS: usize = 20;
/// Time in which a login whose password was right is completed by a factor. Chosen: a code is typed in a minute.
pub const PENDING_LOGIN_LIFETIME: Duration = Duration::minutes(10);
/// Time in which a challenge is responded to. Chosen: the timeout that WebAuthn recommends is 5 min (Level 3, §5.4).
pub const CHALLENGE_LIFETIME: Duration = Duration::minutes(10);
/// Number of ways to pass the second step that a user keeps, so that the loss of one locks nobody out.
const MIN_WAYS: usize = 2;

/// Kind of a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorKind {
    /// Authenticator app.
    Totp,
    /// Passkey.
    Passkey,
}

/// Factor as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// Factor ID.
    pub id: FactorId,
    /// Kind.
    pub kind: FactorKind,
    /// Name that the user gave it.
    pub name: Name,
    /// `true` if a password alone does not sign in any more.
    pub is_demanded: bool,
    /// Time of creation.
    pub created_at: OffsetDateTime,
    /// Time of the last use.
    pub last_used_at: Option<OffsetDateTime>,
    /// ID that a passkey has in browsers.
    pub credential_id: Option<Vec<u8>>,
    /// Domain that a passkey is bound to.
    pub rp_id: Option<String>,
}

/// Factors of a user, and what else they can sign in by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactorList {
    /// Factors, in the order of their creation.
    pub factors: Vec<Factor>,
    /// Number of recovery codes that are left.
    pub recovery_codes: usize,
    /// `true` if the user has a password.
    pub has_password: bool,
    /// Handle that browsers know the user by; `None` if there was never a passkey.
    pub user_handle: Option<UserHandle>,
}

/// Numbers of factors and recovery codes that were removed at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Number of factors.
    pub factors: u64,
    /// Number of recovery codes.
    pub recovery_codes: u64,
}

/// Rejection of the removal of a factor: too few ways to sign in would be left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFewWaysRejection;

impl FactorKind {
    /// Returns the value of the column, and of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
        }
    }

    /// Parses the value of the column.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Totp, Self::Passkey].into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Factor {
    /// Returns `true` if the factor can be used at a site whose passkeys are bound to this domain, or that has none. A passkey of
    /// another domain cannot: browsers do not offer it.
    #[must_use]
    pub fn is_usable(&self, rp_id: Option<&str>) -> bool {
        self.kind != FactorKind::Passkey || (rp_id.is_some() && self.rp_id.as_deref() == rp_id)
    }
}

impl FactorList {
    /// Returns `true` if a password alone does not sign in. Passkeys of another domain count: a change of the setting takes no
    /// user's second step away. So do recovery codes: those without a factor have outlived it.
    #[must_use]
    pub fn is_demanded(&self) -> bool {
        self.recovery_codes > 0 || self.has_demanded()
    }

    /// Returns `true` if recovery codes have outlived the factors that they replace: a password alone signs in after the last one.
    #[must_use]
    pub fn has_codes_alone(&self) -> bool {
        self.recovery_codes > 0 && !self.has_demanded()
    }

    fn has_demanded(&self) -> bool {
        self.factors.iter().any(|factor| factor.is_demanded)
    }

    /// Returns the kinds of ways to pass the second step at a site whose passkeys are bound to this domain.
    #[must_use]
    pub fn ways(&self, rp_id: Option<&str>) -> Vec<Way> {
        let has = |kind| self.factors.iter().any(|factor| factor.kind == kind && factor.is_usable(rp_id));
        let ways = [
            (has(FactorKind::Totp), Way::Totp),
            (has(FactorKind::Passkey), Way::Passkey),
            (self.recovery_codes > 0, Way::RecoveryCode),
        ];
        ways.into_iter().filter_map(|(has, way)| has.then_some(way)).collect()
    }

    /// Returns the IDs of the passkeys of a domain as browsers have them, in base64url.
    pub fn passkey_ids(&self, rp_id: &str) -> impl Iterator<Item = String> {
        self.factors
            .iter()
            .filter(move |factor| factor.is_usable(Some(rp_id)))
            .filter_map(|factor| factor.credential_id.as_ref())
            .map(|id| URL_SAFE_NO_PAD.encode(id))
    }

    /// Decides if a factor may be removed at a site whose passkeys are bound to this domain. While a second step is demanded, two
    /// ways to pass it stay; the last factor may go if a password is left to sign in by.
    ///
    /// # Errors
    /// [`TooFewWaysRejection`] if it may not.
    pub fn may_remove(&self, id: FactorId, rp_id: Option<&str>) -> Result<(), TooFewWaysRejection> {
        let left = || self.factors.iter().filter(|factor| factor.id != id);
        let usable = || left().filter(|factor| factor.is_usable(rp_id));
        let is_demanded = left().any(|factor| factor.is_demanded);
        let ways = usable().count() + usize::from(self.recovery_codes > 0);
        let can_sign_in = self.has_password || usable().any(|factor| factor.kind == FactorKind::Passkey);
        if can_sign_in && (!is_demanded || ways >= MIN_WAYS) { Ok(()) } else { Err(TooFewWaysRejection) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RP_ID: Option<&str> = Some("example.com");

    fn list(kinds: &[(FactorKind, bool)], recovery_codes: usize, has_password: bool) -> FactorList {
        let factors = kinds.iter().zip(1..).map(|((kind, is_demanded), id)| Factor {
            id: FactorId(id),
            kind: *kind,
            name: Name::stored("Phone".to_owned()),
            is_demanded: *is_demanded,
            created_at: OffsetDateTime::UNIX_EPOCH,
            last_used_at: None,
            credential_id: None,
            rp_id: (*kind == FactorKind::Passkey).then(|| "example.com".to_owned()),
        });
        FactorList { factors: factors.collect(), recovery_codes, has_password, user_handle: None }
    }

    #[test]
    fn two_ways_stay_while_a_second_step_is_demanded() {
        use FactorKind::{Passkey, Totp};
        let check = |kinds: &[(FactorKind, bool)], codes, has_password, expected: bool| {
            let list = list(kinds, codes, has_password);
            assert_eq!(list.may_remove(FactorId(1), RP_ID).is_ok(), expected, "{list:?}");
        };
        check(&[(Totp, true)], 10, true, true);
        check(&[(Totp, true)], 0, true, true);
        check(&[(Totp, true), (Totp, true)], 0, true, false);
        check(&[(Totp, true), (Totp, true)], 1, true, true);
        check(&[(Totp, true), (Passkey, true)], 0, true, false);
        check(&[(Totp, true), (Passkey, true), (Passkey, true)], 0, true, true);
        check(&[(Totp, true), (Passkey, false)], 0, true, true);
        check(&[(Passkey, true)], 10, false, false);
        check(&[(Passkey, true), (Passkey, true)], 0, false, false);
        check(&[(Passkey, true), (Passkey, true)], 10, false, true);
        check(&[(Passkey, false)], 0, false, false);
    }

    #[test]
    fn ways_are_those_that_the_user_has() {
        let names = |list: FactorList| list.ways(RP_ID).into_iter().map(Way::as_str).collect::<Vec<_>>();
        assert_eq!(names(FactorList::default()), [""; 0]);
        assert_eq!(names(list(&[(FactorKind::Totp, true)], 3, true)), ["totp", "recovery_code"]);
        assert_eq!(names(list(&[(FactorKind::Passkey, true)], 0, true)), ["passkey"]);
        assert!(!list(&[(FactorKind::Passkey, false)], 0, true).is_demanded());
    }

    #[test]
    fn passkeys_of_another_domain_are_demanded_and_no_way() {
        use FactorKind::{Passkey, Totp};
        for rp_id in [None, Some("example.org")] {
            assert!(list(&[(Passkey, true)], 10, true).is_demanded());
            assert_eq!(list(&[(Passkey, true)], 10, true).ways(rp_id), [Way::RecoveryCode]);
            let removal = |kinds: &[(FactorKind, bool)], codes, has_password| {
                list(kinds, codes, has_password).may_remove(FactorId(1), rp_id).is_ok()
            };
            assert!(removal(&[(Passkey, true)], 0, true));
            assert!(removal(&[(Passkey, true), (Totp, true)], 10, true));
            assert!(!removal(&[(Totp, true), (Passkey, true)], 10, true));
            assert!(!removal(&[(Totp, true), (Passkey, true), (Passkey, true)], 10, false));
        }
    }
}
