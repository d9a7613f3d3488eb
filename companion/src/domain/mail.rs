//! Mails: their kinds, what they tell, and when a failed one is tried again. Nobody's name is in one: whoever registers
//! somebody else's address could write to them in our name.

mod kind;
mod notice;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::account::email::Email;
use super::language::Language;

pub use self::kind::{MailKind, MailKinds};
pub use self::notice::{FactorChange, Notice};

/// Time after the first failure, which doubles with each. Chosen: graylisting servers want minutes (RFC 6647 §5.2).
const FIRST_PAUSE: Duration = Duration::seconds(15);
/// Maximum time between two attempts. Chosen: shorter than what a link lives.
const MAX_PAUSE: Duration = Duration::minutes(15);

/// Time for which a mail that is being sent is left alone. Longer than the mail server may take for it.
pub const LEASE: Duration = Duration::MINUTE;

/// Content of a mail, by its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Time of what it tells, in seconds since 1970.
    pub at: i64,
    /// Program and system of the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Network of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// New address of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_email: Option<String>,
    /// Change of the factors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factors: Option<FactorChange>,
}

/// Link and code of a mail. It has no `Debug`, so that no log can show it.
#[derive(Serialize, Deserialize)]
pub struct Secrets {
    /// Text of the token.
    pub token: String,
    /// Digits of the code.
    pub code: Option<String>,
}

/// Mail that is to be sent.
pub struct Mail {
    /// Number, which each attempt has in common.
    pub id: i64,
    /// Kind.
    pub kind: MailKind,
    /// Recipient.
    pub to: Email,
    /// Language of its recipient, if it is known.
    pub language: Option<Language>,
    /// Content.
    pub details: Details,
    /// Link and code; `None` for a notice without a link.
    pub secrets: Option<Secrets>,
    /// Time of what it tells.
    pub created_at: OffsetDateTime,
}

impl Details {
    /// Makes the content of every mail: the time of what it tells.
    #[must_use]
    pub fn of(at: OffsetDateTime) -> Self {
        Self { at: at.unix_timestamp(), ..Self::default() }
    }
}

/// Returns the time of the next attempt, after so many that failed.
#[must_use]
pub fn next_attempt(attempts: i32, now: OffsetDateTime) -> OffsetDateTime {
    let doublings = u32::try_from(attempts).unwrap_or_default().saturating_sub(1).min(10);
    now + (FIRST_PAUSE * 2_i32.pow(doublings)).min(MAX_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_doubles_up_to_a_quarter_of_an_hour() {
        let now = OffsetDateTime::UNIX_EPOCH;
        for (attempts, seconds) in [(1, 15), (2, 30), (3, 60), (6, 480), (7, 900), (100, 900), (0, 15)] {
            assert_eq!((next_attempt(attempts, now) - now).whole_seconds(), seconds, "{attempts}");
        }
    }
}
