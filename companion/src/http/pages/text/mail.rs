//! Texts of what begins or ends with a mail.

use crate::domain::token::one_time::Purpose;

/// Texts of one language.
pub(in crate::http) struct MailText {
    pub(in crate::http) forgot_password: &'static str,
    pub(in crate::http) forgot_password_hint: &'static str,
    pub(in crate::http) send_mail: &'static str,
    pub(in crate::http) another_mail: &'static str,
    pub(in crate::http) new_password_title: &'static str,
    pub(in crate::http) reset_mail_sent: &'static str,
    pub(in crate::http) mail_sent: &'static str,
    pub(in crate::http) code: &'static str,
    pub(in crate::http) password_reset: &'static str,
    pub(in crate::http) email_verified: &'static str,
    pub(in crate::http) email_unverified: &'static str,
    pub(in crate::http) verify_email: &'static str,
    pub(in crate::http) new_email: &'static str,
    pub(in crate::http) change_email: &'static str,
    /// Words of the page that confirms by a mail.
    pub(in crate::http) confirmation: fn(Purpose) -> Confirmation,
}

/// Words of a page that confirms by a mail.
pub(in crate::http) struct Confirmation {
    pub(in crate::http) title: &'static str,
    pub(in crate::http) text: &'static str,
    pub(in crate::http) button: &'static str,
    /// Text once it is done.
    pub(in crate::http) done: &'static str,
}

pub(super) static ENGLISH: MailText = MailText {
    forgot_password: "Forgot your password?",
    forgot_password_hint: "We send a link and a code to your e-mail address. The password stays as it is until you set a new one.",
    send_mail: "Send the mail",
    another_mail: "Send another mail",
    new_password_title: "Set a new password",
    reset_mail_sent: "If this address has an account, a mail is on its way to it. Open its link, or type its code here within 10 minutes.",
    mail_sent: "A mail is on its way. Open its link, or type its code here within 10 minutes.",
    code: "Code",
    password_reset: "Your password is changed, and all sessions have ended. Please sign in.",
    email_verified: "This address is confirmed.",
    email_unverified: "This address is not confirmed yet.",
    verify_email: "Send a mail to confirm it",
    new_email: "New e-mail address",
    change_email: "Change the address",
    confirmation: in_english,
};

pub(super) static GERMAN: MailText = MailText {
    forgot_password: "Passwort vergessen?",
    forgot_password_hint: "Wir senden einen Link und einen Code an Ihre E-Mail-Adresse. Das Passwort bleibt, bis Sie ein neues setzen.",
    send_mail: "E-Mail senden",
    another_mail: "Noch eine E-Mail senden",
    new_password_title: "Neues Passwort setzen",
    reset_mail_sent: "Wenn diese Adresse ein Konto hat, ist eine E-Mail dorthin unterwegs. Öffnen Sie ihren Link, oder geben Sie ihren Code innerhalb von 10 Minuten hier ein.",
    mail_sent: "Eine E-Mail ist unterwegs. Öffnen Sie ihren Link, oder geben Sie ihren Code innerhalb von 10 Minuten hier ein.",
    code: "Code",
    password_reset: "Ihr Passwort ist geändert, und alle Sitzungen sind beendet. Bitte melden Sie sich an.",
    email_verified: "Diese Adresse ist bestätigt.",
    email_unverified: "Diese Adresse ist noch nicht bestätigt.",
    verify_email: "E-Mail zur Bestätigung senden",
    new_email: "Neue E-Mail-Adresse",
    change_email: "Adresse ändern",
    confirmation: in_german,
};

fn in_english(purpose: Purpose) -> Confirmation {
    match purpose {
        Purpose::VerifyEmail => Confirmation {
            title: "Confirm your e-mail address",
            text: "Confirm it only if you made this account yourself: whoever made it signs in to it.",
            button: "Confirm the address",
            done: "Your e-mail address is confirmed.",
        },
        Purpose::ChangeEmail => Confirmation {
            title: "Confirm your new e-mail address",
            text: "From then on you sign in with this address.",
            button: "Confirm the new address",
            done: "Your e-mail address is changed.",
        },
        Purpose::UndoEmail => Confirmation {
            title: "Change your e-mail address back",
            text: "All sessions end, and you then set a new password. Authenticator apps, passkeys and recovery codes that were added since, or in the session that asked for the change, are removed.",
            button: "Change it back",
            done: "Your e-mail address is the former one, and all sessions have ended.",
        },
        Purpose::DisownSignIn => Confirmation {
            title: "This was not you?",
            text: "All sessions end, and you then set a new password. Authenticator apps, passkeys and recovery codes of the session that the mail is about are removed. If you have several such mails, use the link of each.",
            button: "End all sessions",
            done: "All sessions have ended.",
        },
        Purpose::ResetPassword => Confirmation {
            title: ENGLISH.new_password_title,
            text: "",
            button: ENGLISH.new_password_title,
            done: ENGLISH.password_reset,
        },
    }
}

fn in_german(purpose: Purpose) -> Confirmation {
    match purpose {
        Purpose::VerifyEmail => Confirmation {
            title: "E-Mail-Adresse bestätigen",
            text: "Bestätigen Sie nur, wenn Sie dieses Konto selbst angelegt haben: Wer es angelegt hat, meldet sich darin an.",
            button: "Adresse bestätigen",
            done: "Ihre E-Mail-Adresse ist bestätigt.",
        },
        Purpose::ChangeEmail => Confirmation {
            title: "Neue E-Mail-Adresse bestätigen",
            text: "Danach melden Sie sich mit dieser Adresse an.",
            button: "Neue Adresse bestätigen",
            done: "Ihre E-Mail-Adresse ist geändert.",
        },
        Purpose::UndoEmail => Confirmation {
            title: "Änderung der E-Mail-Adresse rückgängig machen",
            text: "Alle Sitzungen enden, und danach setzen Sie ein neues Passwort. Authenticator-Apps, Passkeys und Wiederherstellungscodes, die seither oder in der Sitzung dazukamen, die die Änderung verlangt hat, werden entfernt.",
            button: "Rückgängig machen",
            done: "Ihre frühere E-Mail-Adresse gilt wieder, und alle Sitzungen sind beendet.",
        },
        Purpose::DisownSignIn => Confirmation {
            title: "Das waren nicht Sie?",
            text: "Alle Sitzungen enden, und danach setzen Sie ein neues Passwort. Authenticator-Apps, Passkeys und Wiederherstellungscodes der Sitzung, um die es in der E-Mail geht, werden entfernt. Haben Sie mehrere solche E-Mails, verwenden Sie den Link jeder einzelnen.",
            button: "Alle Sitzungen beenden",
            done: "Alle Sitzungen sind beendet.",
        },
        Purpose::ResetPassword => Confirmation {
            title: GERMAN.new_password_title,
            text: "",
            button: GERMAN.new_password_title,
            done: GERMAN.password_reset,
        },
    }
}
