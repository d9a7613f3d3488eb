//! Time-based one-time passwords (RFC 6238), as every authenticator app has them: SHA-1, six digits, 30 s.

use time::OffsetDateTime;
use totp_rs::{Builder, Totp};

use crate::domain::account::email::Email;

/// Length of a secret, in bytes: that of SHA-1's output (RFC 4226 §4, R6).
pub const SECRET_BYTES: usize = 20;
/// Number of steps before and after the current one whose codes are accepted, for clocks and slow typing (RFC 6238 §5.2).
const SKEW: u16 = 1;

/// Secret that an authenticator app shares with the service. It has no `Debug`, so that no log can show it.
pub struct TotpSecret(Totp);

/// Secret and address, for an authenticator app to take over.
pub struct TotpKey {
    /// Secret in base32, to be typed.
    pub secret: String,
    /// Key URI, for a QR code.
    pub uri: String,
}

impl TotpSecret {
    /// Makes a secret of random bytes, or of those that were stored. `None` if there are too few: 16 is the least (RFC 4226 §4,
    /// R6).
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        Builder::new().with_secret(bytes.to_vec()).with_skew(SKEW).build().ok().map(Self)
    }

    /// Returns the bytes, to be sealed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.secret().as_bytes()
    }

    /// Returns the time step that a typed code belongs to. `None` if it is wrong, or of a step that is not after `last_step`:
    /// each step is accepted once (RFC 6238 §5.2).
    #[must_use]
    pub fn check(&self, code: &str, last_step: i64, now: OffsetDateTime) -> Option<i64> {
        let seconds = u64::try_from(now.unix_timestamp()).ok()?;
        let step = i64::try_from(self.0.check(code, seconds)?).ok()?;
        (step > last_step).then_some(step)
    }

    /// Returns what an authenticator app takes over for a user of this site.
    #[must_use]
    pub fn key(&self, site: &str, email: &Email) -> Option<TotpKey> {
        // The label is `issuer:account` in the URI, so neither has a colon.
        let issuer = site.replace(':', " ");
        let builder = Builder::new().with_secret(self.as_bytes().to_vec()).with_issuer(Some(issuer));
        let uri = builder.with_account_name(email.as_str()).build().ok()?.to_url().ok()?;
        Some(TotpKey { secret: self.0.secret().to_base32(), uri })
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    /// Secret of the test vectors (RFC 6238, appendix B).
    const SECRET: &[u8] = b"12345678901234567890";

    fn secret() -> TotpSecret {
        TotpSecret::new(SECRET).unwrap()
    }

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds)
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(secret().check(code, 0, at(seconds)), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn code_is_accepted_one_step_early_and_one_late() {
        let check = |seconds: i64| secret().check("081804", 0, at(1_111_111_109 + seconds)).is_some();
        let step = 1_111_111_109_i64 / 30;
        let (first, last) = ((step - 1) * 30 - 1_111_111_109, (step + 2) * 30 - 1_111_111_109 - 1);
        assert!(check(0) && check(first) && check(last));
        assert!(!check(first - 1) && !check(last + 1));
    }

    #[test]
    fn each_step_is_accepted_once_and_none_before_it() {
        let (now, step) = (at(1_111_111_109), 1_111_111_109 / 30);
        assert_eq!(secret().check("081804", step - 1, now), Some(step));
        assert_eq!(secret().check("081804", step, now), None);
        assert_eq!(secret().check("081804", step + 1, now), None);
    }

    #[test]
    fn other_texts_are_no_codes() {
        for code in ["", "28708", "2870820", "+87082", "28708a", "287 082", "２８７０８２"] {
            assert_eq!(secret().check(code, 0, at(59)), None, "{code}");
        }
        assert!(TotpSecret::new(&[0; 15]).is_none());
    }

    #[test]
    fn app_takes_over_a_uri_with_site_and_address() {
        let key = secret().key("My: site", &Email::parse("ada@example.com").unwrap()).unwrap();
        assert_eq!(key.secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            key.uri,
            "otpauth://totp/My%20%20site:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=My%20%20site"
        );
    }
}
