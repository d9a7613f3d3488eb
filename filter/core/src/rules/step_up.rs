//! Demand of a rule on the user's last authentication (RFC 9470): how recent it is, and by which methods.

use edgeward_wire::clock::MAX_GAP_S;

use crate::claims::Identity;
use crate::rejection::Rejection;

/// Demand on the user's last authentication. A refresh never meets it: only a fresh proof of the user does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    /// Maximum age, in seconds (`max_auth_age_seconds`); `None` if any is accepted.
    pub max_age_s: Option<u32>,
    /// Methods that it must have, all of them (`require`).
    pub methods: Vec<&'static str>,
}

impl StepUp {
    /// No demand.
    pub const NONE: Self = Self { max_age_s: None, methods: Vec::new() };

    /// `true` if there is no demand.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.max_age_s.is_none() && self.methods.is_empty()
    }

    /// Checks the last authentication of a user at `now`, in seconds since 1970. One of an unknown time is not recent, and nor
    /// is one that is dated ahead by more than the clocks may differ.
    ///
    /// # Errors
    /// [`Rejection::AuthenticationInsufficient`] if it lacks a method, [`Rejection::AuthenticationOutdated`] if it is too old.
    pub fn check(&self, identity: &Identity, now: u64) -> Result<(), Rejection> {
        let has = |method: &str| identity.methods().split(',').any(|word| word == method);
        if let Some(method) = self.methods.iter().find(|method| !has(method)) {
            return Err(Rejection::AuthenticationInsufficient { method });
        }
        let Some(max_age_s) = self.max_age_s else { return Ok(()) };
        let authenticated_at = identity.authenticated_at();
        let is_recent = |at: u64| {
            at <= now.saturating_add(MAX_GAP_S.into()) && now <= at.saturating_add(max_age_s.into())
        };
        if authenticated_at.is_some_and(is_recent) {
            return Ok(());
        }
        Err(Rejection::AuthenticationOutdated { authenticated_at, max_age_s, now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Expected;
    use crate::token::Verified;

    const NOW: u64 = 1_800_000_000;

    fn identity(claims: &str) -> Identity {
        let expected = Expected { issuer: "i".into(), audience: "a".into(), clock_skew_s: 0 };
        let exp = NOW + 60;
        let claims = format!(
            r#"{{"iss":"i","aud":"a","exp":{exp},"iat":{NOW},"sub":"1","sid":1,"role":"customer"{claims}}}"#
        );
        Identity::judge(&Verified::for_test(&claims), &expected, NOW).unwrap()
    }

    fn check(demand: &StepUp, claims: &str, expected: Result<(), Rejection>) {
        assert_eq!(demand.check(&identity(claims), NOW), expected, "{demand:?}: {claims}");
    }

    #[test]
    fn authentication_is_recent_up_to_its_maximum_age_and_known() {
        let demand = StepUp { max_age_s: Some(300), methods: Vec::new() };
        let of = |at: u64| format!(r#","auth_time":{at}"#);
        let outdated = |authenticated_at| {
            Err(Rejection::AuthenticationOutdated { authenticated_at, max_age_s: 300, now: NOW })
        };
        for at in [NOW, NOW - 300, NOW + 60] {
            check(&demand, &of(at), Ok(()));
        }
        for at in [NOW - 301, 1, NOW + 61, u64::MAX >> 1] {
            check(&demand, &of(at), outdated(Some(at)));
        }
        check(&demand, "", outdated(None));
        check(&demand, &of(0), outdated(None));
        check(&StepUp::NONE, "", Ok(()));
    }

    #[test]
    fn every_method_of_the_demand_is_required() {
        let demand = StepUp { max_age_s: None, methods: vec!["pwd", "mfa"] };
        let lacks = |method| Err(Rejection::AuthenticationInsufficient { method });
        check(&demand, r#","amr":["pwd","otp","mfa"]"#, Ok(()));
        check(&demand, r#","amr":["mfa","pwd"]"#, Ok(()));
        check(&demand, r#","amr":["pwd"]"#, lacks("mfa"));
        check(&demand, r#","amr":["pop","mfa"]"#, lacks("pwd"));
        check(&demand, r#","amr":["pwd","mfa2"]"#, lacks("mfa"));
        check(&demand, r#","amr":[]"#, lacks("pwd"));
        check(&demand, "", lacks("pwd"));
    }
}
