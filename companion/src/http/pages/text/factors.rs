//! Texts about second factors.

use crate::domain::factor::{Factor, FactorKind};

/// Texts of one language. `{left}` and `{count}` stand for numbers.
pub(in crate::http) struct FactorText {
    pub(in crate::http) second_step: &'static str,
    pub(in crate::http) code: &'static str,
    pub(in crate::http) code_hint: &'static str,
    pub(in crate::http) next: &'static str,
    pub(in crate::http) begin_again: &'static str,
    pub(in crate::http) factors: &'static str,
    pub(in crate::http) factors_hint: &'static str,
    pub(in crate::http) none: &'static str,
    pub(in crate::http) totp: &'static str,
    pub(in crate::http) passkey: &'static str,
    pub(in crate::http) never_used: &'static str,
    pub(in crate::http) not_demanded: &'static str,
    pub(in crate::http) add_totp: &'static str,
    pub(in crate::http) scan: &'static str,
    pub(in crate::http) type_key: &'static str,
    pub(in crate::http) first_code: &'static str,
    pub(in crate::http) name: &'static str,
    pub(in crate::http) add: &'static str,
    pub(in crate::http) remove: &'static str,
    pub(in crate::http) recovery_codes: &'static str,
    pub(in crate::http) recovery_codes_hint: &'static str,
    pub(in crate::http) recovery_codes_left: &'static str,
    pub(in crate::http) make_recovery_codes: &'static str,
    pub(in crate::http) codes_are_stored: &'static str,
    pub(in crate::http) added: &'static str,
    pub(in crate::http) renamed: &'static str,
    pub(in crate::http) removed: &'static str,
    pub(in crate::http) reset: &'static str,
}

impl FactorText {
    /// Returns the name of a factor's kind.
    pub(in crate::http) fn kind(&self, factor: &Factor) -> &'static str {
        match factor.kind {
            FactorKind::Totp => self.totp,
            FactorKind::Passkey => self.passkey,
        }
    }
}

pub(super) static EN: FactorText = FactorText {
    second_step: "Second step",
    code: "Code",
    code_hint: "Six digits from your authenticator app, or a recovery code",
    next: "Continue",
    begin_again: "Sign in as somebody else",
    factors: "Second step of the sign-in",
    factors_hint: "With a second step, nobody signs in with your password alone.",
    none: "Your password alone signs in.",
    totp: "Authenticator app",
    passkey: "Passkey",
    never_used: "Never used",
    not_demanded: "Created by your browser. Your password alone still signs in.",
    add_totp: "Add an authenticator app",
    scan: "Scan this picture with your authenticator app.",
    type_key: "If that does not work, type this key into the app:",
    first_code: "Code that the app shows",
    name: "Name",
    add: "Add",
    remove: "Remove",
    recovery_codes: "Recovery codes",
    recovery_codes_hint: "Each of these codes replaces a factor once. Keep them where you find them without this device. They are shown only now.",
    recovery_codes_left: "{left} left",
    make_recovery_codes: "Make new recovery codes",
    codes_are_stored: "I have stored them",
    added: "The factor is added.",
    renamed: "The factor has another name.",
    removed: "The factor is removed.",
    reset: "Remove all factors",
};

pub(super) static DE: FactorText = FactorText {
    second_step: "Zweiter Schritt",
    code: "Code",
    code_hint: "Sechs Ziffern aus Ihrer Authenticator-App, oder ein Wiederherstellungscode",
    next: "Weiter",
    begin_again: "Mit einem anderen Konto anmelden",
    factors: "Zweiter Schritt der Anmeldung",
    factors_hint: "Mit einem zweiten Schritt meldet sich niemand mit Ihrem Passwort allein an.",
    none: "Ihr Passwort allein genügt zur Anmeldung.",
    totp: "Authenticator-App",
    passkey: "Passkey",
    never_used: "Noch nie benutzt",
    not_demanded: "Von Ihrem Browser erstellt. Ihr Passwort allein genügt weiterhin zur Anmeldung.",
    add_totp: "Authenticator-App hinzufügen",
    scan: "Scannen Sie dieses Bild mit Ihrer Authenticator-App.",
    type_key: "Wenn das nicht geht, tippen Sie diesen Schlüssel in die App:",
    first_code: "Code, den die App zeigt",
    name: "Name",
    add: "Hinzufügen",
    remove: "Entfernen",
    recovery_codes: "Wiederherstellungscodes",
    recovery_codes_hint: "Jeder dieser Codes ersetzt einmal einen Faktor. Bewahren Sie sie so auf, dass Sie sie ohne dieses Gerät finden. Sie werden nur jetzt gezeigt.",
    recovery_codes_left: "Noch {left}",
    make_recovery_codes: "Neue Wiederherstellungscodes erstellen",
    codes_are_stored: "Ich habe sie aufbewahrt",
    added: "Der Faktor wurde hinzugefügt.",
    renamed: "Der Faktor hat einen anderen Namen.",
    removed: "Der Faktor wurde entfernt.",
    reset: "Alle Faktoren entfernen",
};
