//! English.

use super::{Text, Words};
use crate::domain::mail::MailKind;

pub(super) static TEXT: Text = Text {
    lang: "en",
    code: "Or type this code where you began. It counts for 10 minutes:",
    unknown: "unknown",
    words,
};

const LINK_LIFETIME: &str = "The link counts for one hour, and once.";
const NOT_YOU: &str = "If it was not you, ignore this mail: nothing changes.";

fn words(kind: MailKind) -> Words {
    match kind {
        MailKind::VerifyEmail => Words {
            subject: "{site}: confirm your e-mail address",
            paragraphs: &["Please confirm that this is your e-mail address at {site}."],
            action: "Confirm the address",
            end: &[LINK_LIFETIME, NOT_YOU],
        },
        MailKind::ResetPassword => Words {
            subject: "{site}: set a new password",
            paragraphs: &["Somebody, hopefully you, asked to set a new password at {site}."],
            action: "Set a new password",
            end: &[LINK_LIFETIME, NOT_YOU],
        },
        MailKind::PasswordChanged => Words {
            subject: "{site}: your password was changed",
            paragraphs: &["The password of your account at {site} was changed ({at})."],
            action: "If it was not you, set a new password now",
            end: &[],
        },
        MailKind::ChangeEmail => Words {
            subject: "{site}: confirm your new e-mail address",
            paragraphs: &[
                "This address is to become the one of an account at {site}. Until you confirm it, nothing changes.",
            ],
            action: "Confirm the new address",
            end: &[LINK_LIFETIME, NOT_YOU],
        },
        MailKind::EmailChanged => Words {
            subject: "{site}: your e-mail address was changed",
            paragraphs: &["The e-mail address of your account at {site} was changed to {email} ({at})."],
            action: "If it was not you, change it back",
            end: &["This link counts for 72 hours. It ends all sessions, and you then set a new password."],
        },
        MailKind::NewSignIn => Words {
            subject: "{site}: new sign-in",
            paragraphs: &[
                "Somebody signed in to your account at {site} on a device that it did not know.",
                "Device: {device}. Network: {network}. Time: {at}.",
                "If it was you, there is nothing to do.",
            ],
            action: "If it was not you, end all sessions",
            end: &[
                "This link counts for one hour. Your password no longer works then, and you set a new one.",
                "Later, set a new password by way of \u{201c}Forgot your password?\u{201d}, which ends all sessions too.",
            ],
        },
    }
}
