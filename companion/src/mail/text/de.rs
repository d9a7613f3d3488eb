//! German.

use super::{Text, Words};
use crate::domain::mail::{FactorChange, MailKind};

pub(super) static TEXT: Text = Text {
    lang: "de",
    code: "Oder geben Sie diesen Code dort ein, wo Sie begonnen haben. Er gilt 10 Minuten:",
    unknown: "unbekannt",
    words,
    factors,
};

const LINK_LIFETIME: &str = "Der Link gilt eine Stunde und nur einmal.";
const NOT_YOU: &str = "Wenn Sie das nicht waren, ignorieren Sie diese E-Mail: Es ändert sich nichts.";
const IT_WAS_YOU: &str = "Wenn Sie das waren, ist nichts zu tun.";
const END_SESSIONS: &str = "Wenn Sie das nicht waren, beenden Sie alle Sitzungen";
const ENDS: &str =
    "Dieser Link gilt 72 Stunden. Er beendet alle Sitzungen, und danach setzen Sie ein neues Passwort.";
const TAKES: &str = "Er entfernt Authenticator-Apps, Passkeys und Wiederherstellungscodes der Sitzung, um die es in dieser E-Mail geht.";
const EMAIL_CHANGED: &str = "{site}: Ihre E-Mail-Adresse wurde geändert";
const EMAIL_CHANGED_TO: &str = "Die E-Mail-Adresse Ihres Kontos bei {site} wurde zu {email} geändert ({at}).";
const EACH_MAIL: &str = "Haben Sie mehrere solche E-Mails, verwenden Sie den Link jeder einzelnen.";
const FACTORS_CHANGED: &str = "{site}: Ihre Anmeldewege wurden geändert";

fn words(kind: MailKind, has_token: bool) -> Words {
    match kind {
        MailKind::VerifyEmail => Words {
            subject: "{site}: E-Mail-Adresse bestätigen",
            paragraphs: &[
                "Bitte bestätigen Sie, dass Sie bei {site} ein Konto mit dieser E-Mail-Adresse haben.",
            ],
            action: "Adresse bestätigen",
            end: &[LINK_LIFETIME, NOT_YOU],
        },
        MailKind::ResetPassword => Words {
            subject: "{site}: neues Passwort setzen",
            paragraphs: &["Jemand, hoffentlich Sie, möchte bei {site} ein neues Passwort setzen."],
            action: "Neues Passwort setzen",
            end: &[LINK_LIFETIME, NOT_YOU],
        },
        MailKind::PasswordChanged => Words {
            subject: "{site}: Ihr Passwort wurde geändert",
            paragraphs: &["Das Passwort Ihres Kontos bei {site} wurde geändert ({at})."],
            action: "Wenn Sie das nicht waren, setzen Sie jetzt ein neues Passwort",
            end: &[],
        },
        MailKind::ChangeEmail => Words {
            subject: "{site}: neue E-Mail-Adresse bestätigen",
            paragraphs: &[
                "Diese Adresse soll die eines Kontos bei {site} werden. Bis Sie sie bestätigen, ändert sich nichts.",
            ],
            action: "Neue Adresse bestätigen",
            end: &[LINK_LIFETIME, NOT_YOU],
        },
        MailKind::EmailChanged if has_token => Words {
            subject: EMAIL_CHANGED,
            paragraphs: &[EMAIL_CHANGED_TO],
            action: "Wenn Sie das nicht waren, machen Sie es rückgängig",
            end: &[
                ENDS,
                "Er entfernt Authenticator-Apps, Passkeys und Wiederherstellungscodes, die seither dazukamen, und die der Sitzung, die die Änderung verlangt hat.",
            ],
        },
        MailKind::EmailChanged => Words {
            subject: EMAIL_CHANGED,
            paragraphs: &[EMAIL_CHANGED_TO],
            action: "",
            end: &[
                "Diese Adresse hatte das Konto vorher. Wenn Sie das nicht waren, bitten Sie {site} um Hilfe.",
            ],
        },
        MailKind::NewSignIn => Words {
            subject: "{site}: neue Anmeldung",
            paragraphs: &[
                "Jemand hat sich bei Ihrem Konto bei {site} auf einem Gerät angemeldet, das dort noch nicht bekannt war.",
                "Gerät: {device}. Netz: {network}. Zeit: {at}.",
                IT_WAS_YOU,
            ],
            action: END_SESSIONS,
            end: &[
                ENDS,
                TAKES,
                EACH_MAIL,
                "Später setzen Sie ein neues Passwort über \u{201e}Passwort vergessen?\u{201c}, was auch alle Sitzungen beendet, und sehen auf Ihrer Kontoseite nach den zweiten Faktoren.",
            ],
        },
        MailKind::FactorsChanged if has_token => Words {
            subject: FACTORS_CHANGED,
            paragraphs: &["{factors}", IT_WAS_YOU],
            action: END_SESSIONS,
            end: &[
                ENDS,
                "Er entfernt Authenticator-Apps, Passkeys und Wiederherstellungscodes der Sitzung, die das geändert hat; nach einer Entfernung aller die, die seither dazukamen.",
                EACH_MAIL,
                "Später setzen Sie ein neues Passwort über \u{201e}Passwort vergessen?\u{201c} und sehen auf Ihrer Kontoseite nach den zweiten Faktoren.",
            ],
        },
        MailKind::FactorsChanged => Words {
            subject: FACTORS_CHANGED,
            paragraphs: &["{factors}", IT_WAS_YOU],
            action: "Wenn Sie das nicht waren, setzen Sie jetzt ein neues Passwort",
            end: &[
                "Ein neues Passwort beendet alle Sitzungen. Sehen Sie danach auf Ihrer Kontoseite nach den zweiten Faktoren, oder bitten Sie dort um Hilfe.",
            ],
        },
        MailKind::WrongCodes => Words {
            subject: "{site}: Ihr Passwort ist vielleicht bekannt",
            paragraphs: &[
                "Jemand hat das richtige Passwort Ihres Kontos bei {site} eingegeben und danach mehrere falsche Codes oder Passkeys.",
                "Netz: {network}. Zeit: {at}.",
                IT_WAS_YOU,
            ],
            action: "Wenn Sie das nicht waren, setzen Sie jetzt ein neues Passwort",
            end: &[],
        },
    }
}

fn factors(change: FactorChange) -> &'static str {
    match change {
        FactorChange::AppAdded => "Ihrem Konto bei {site} wurde eine Authenticator-App hinzugefügt ({at}).",
        FactorChange::PasskeyAdded => "Ihrem Konto bei {site} wurde ein Passkey hinzugefügt ({at}).",
        FactorChange::AppRemoved => {
            "Aus Ihrem Konto bei {site} wurde eine Authenticator-App entfernt ({at})."
        }
        FactorChange::PasskeyRemoved => "Aus Ihrem Konto bei {site} wurde ein Passkey entfernt ({at}).",
        FactorChange::RecoveryCodesCreated => {
            "Neue Wiederherstellungscodes ersetzen die bisherigen Ihres Kontos bei {site} ({at})."
        }
        FactorChange::RecoveryCodeUsed => {
            "Ein Wiederherstellungscode Ihres Kontos bei {site} wurde verwendet ({at})."
        }
        FactorChange::Reset => {
            "Alle zweiten Faktoren und Wiederherstellungscodes Ihres Kontos bei {site} wurden entfernt ({at})."
        }
    }
}
