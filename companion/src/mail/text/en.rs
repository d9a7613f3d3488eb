//! English.

use super::{Text, Words};
use crate::domain::mail::{FactorChange, MailKind};

pub(super) static TEXT: Text = Text {
    lang: "en",
    code: "Or type this code where you began. It counts for 10 minutes:",
    unknown: "unknown",
    words,
    factors,
};

const LINK_LIFETIME: &str = "The link counts for one hour, and once.";
const NOT_YOU: &str = "If it was not you, ignore this mail: nothing changes.";
const IT_WAS_YOU: &str = "If it was you, there is nothing to do.";
const END_SESSIONS: &str = "If it was not you, end all sessions";
const ENDS: &str = "This link counts for 72 hours. It ends all sessions, and you then set a new password.";
const TAKES: &str =
    "It removes authenticator apps, passkeys and recovery codes of the session that this mail is about.";
const EMAIL_CHANGED: &str = "{site}: your e-mail address was changed";
const EMAIL_CHANGED_TO: &str = "The e-mail address of your account at {site} was changed to {email} ({at}).";
const EACH_MAIL: &str = "If you have several such mails, use the link of each.";
const FACTORS_CHANGED: &str = "{site}: your ways to sign in were changed";

fn words(kind: MailKind, has_token: bool) -> Words {
    match kind {
        MailKind::VerifyEmail => Words {
            subject: "{site}: confirm your e-mail address",
            paragraphs: &["Please confirm that you have an account at {site} with this e-mail address."],
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
        MailKind::EmailChanged if has_token => Words {
            subject: EMAIL_CHANGED,
            paragraphs: &[EMAIL_CHANGED_TO],
            action: "If it was not you, change it back",
            end: &[
                ENDS,
                "It removes authenticator apps, passkeys and recovery codes that were added since, and those of the session that asked for the change.",
            ],
        },
        MailKind::EmailChanged => Words {
            subject: EMAIL_CHANGED,
            paragraphs: &[EMAIL_CHANGED_TO],
            action: "",
            end: &["This address had the account before. If it was not you, ask {site} for help."],
        },
        MailKind::NewSignIn => Words {
            subject: "{site}: new sign-in",
            paragraphs: &[
                "Somebody signed in to your account at {site} on a device that it did not know.",
                "Device: {device}. Network: {network}. Time: {at}.",
                IT_WAS_YOU,
            ],
            action: END_SESSIONS,
            end: &[
                ENDS,
                TAKES,
                EACH_MAIL,
                "Later, set a new password by way of \u{201c}Forgot your password?\u{201d}, which ends all sessions too, and look at the second factors on your account page.",
            ],
        },
        MailKind::FactorsChanged if has_token => Words {
            subject: FACTORS_CHANGED,
            paragraphs: &["{factors}", IT_WAS_YOU],
            action: END_SESSIONS,
            end: &[
                ENDS,
                "It removes authenticator apps, passkeys and recovery codes of the session that made this change; after a removal of all, those that were added since.",
                EACH_MAIL,
                "Later, set a new password by way of \u{201c}Forgot your password?\u{201d}, and look at the second factors on your account page.",
            ],
        },
        MailKind::FactorsChanged => Words {
            subject: FACTORS_CHANGED,
            paragraphs: &["{factors}", IT_WAS_YOU],
            action: "If it was not you, set a new password now",
            end: &[
                "A new password ends all sessions. Then look at the second factors on your account page, or ask for help there.",
            ],
        },
        MailKind::WrongCodes => Words {
            subject: "{site}: somebody may know your password",
            paragraphs: &[
                "Somebody gave the right password of your account at {site}, and several wrong codes or passkeys after it.",
                "Network: {network}. Time: {at}.",
                IT_WAS_YOU,
            ],
            action: "If it was not you, set a new password now",
            end: &[],
        },
    }
}

fn factors(change: FactorChange) -> &'static str {
    match change {
        FactorChange::AppAdded => "An authenticator app was added to your account at {site} ({at}).",
        FactorChange::PasskeyAdded => "A passkey was added to your account at {site} ({at}).",
        FactorChange::AppRemoved => "An authenticator app was removed from your account at {site} ({at}).",
        FactorChange::PasskeyRemoved => "A passkey was removed from your account at {site} ({at}).",
        FactorChange::RecoveryCodesCreated => {
            "New recovery codes replace the former ones of your account at {site} ({at})."
        }
        FactorChange::RecoveryCodeUsed => "A recovery code of your account at {site} was used ({at}).",
        FactorChange::Reset => {
            "All second factors and recovery codes were removed from your account at {site} ({at})."
        }
    }
}
