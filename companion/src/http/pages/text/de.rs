//! German.

use time::macros::format_description;

use super::{Text, factors, mail};

pub(super) static TEXT: Text = Text {
    lang: "de",
    skip_to_content: "Zum Inhalt springen",
    sign_in: "Anmelden",
    sign_out: "Abmelden",
    sign_out_question: "Möchten Sie sich abmelden?",
    register: "Registrieren",
    account: "Konto",
    first_name: "Vorname",
    last_name: "Nachname",
    email: "E-Mail",
    password: "Passwort",
    password_hint: "{min} Zeichen oder mehr",
    password_strength: "Stärke",
    show_password: "Passwort anzeigen",
    caps_lock_is_on: "Die Feststelltaste ist an",
    no_account_yet: "Noch kein Konto?",
    registered_already: "Schon registriert?",
    registered_sign_in: "Wenn diese E-Mail-Adresse frei war, ist sie jetzt registriert. Bitte melden Sie sich an.",
    signed_out: "Abgemeldet",
    signed_out_here: "Sie sind in diesem Browser abgemeldet.",
    sign_in_again: "Erneut anmelden",
    confirm: "Bestätigen",
    confirm_question: "Sind Sie es noch?",
    confirm_hint: "Was jetzt kommt, ist heikel. Bitte geben Sie Ihr Passwort noch einmal ein.",
    second_factor_demanded: "Die Seite, die Sie öffnen möchten, verlangt einen zweiten Faktor. Ihr Passwort genügt ihr nicht.",
    names: "Name",
    save: "Speichern",
    name_changed: "Ihr Name wurde geändert.",
    change_password: "Passwort ändern",
    current_password: "Aktuelles Passwort",
    new_password: "Neues Passwort",
    password_changed: "Ihr Passwort wurde geändert. Alle anderen Sitzungen sind beendet.",
    current_password_wrong: "Das ist nicht Ihr aktuelles Passwort.",
    mail: &mail::GERMAN,
    sessions: "Wo Sie angemeldet sind",
    sessions_hint: "Wenn Sie eine Sitzung nicht kennen, beenden Sie sie und ändern Sie Ihr Passwort.",
    this_session: "Diese Sitzung",
    last_used: "Zuletzt benutzt",
    since: "Registriert am",
    unknown_device: "Unbekanntes Gerät",
    device_on: "auf",
    end_session: "Beenden",
    end_other_sessions: "Alle anderen beenden",
    session_ended: "Die Sitzung ist beendet.",
    sessions_ended: "Alle anderen Sitzungen sind beendet.",
    factors: &factors::DE,
    users: "Benutzer",
    search_users: "E-Mail-Adresse, Nachname oder ID",
    search: "Suchen",
    role: "Rolle",
    state: "Status",
    disabled: "Gesperrt",
    may_sign_in: "Darf sich anmelden.",
    enable: "Anmeldung erlauben",
    disable: "Anmeldung sperren und alle Sitzungen beenden",
    changed: "Die Änderung ist gespeichert.",
    nothing_found: "Nichts gefunden.",
    more: "Mehr",
    sessions_of_user: "Sitzungen",
    end_all_sessions: "Alle Sitzungen beenden",
    audit_log: "Protokoll",
    at: "Zeit",
    event: "Ereignis",
    any: "Alle",
    actor: "Ausgelöst von",
    user: "Benutzer",
    network: "Netzwerk",
    details: "Details",
    from: "Von",
    until: "Bis",
    front_page: "Zur Startseite",
    some_fields_are_wrong: "Bitte korrigieren Sie die markierten Felder.",
    form_expired: "Diese Seite war nicht mehr aktuell. Bitte senden Sie das Formular noch einmal.",
    strengths: ["Sehr schwach", "Schwach", "Mäßig", "Stark", "Sehr stark"],
    time_form: &format_description!("[day padding:none].[month padding:none].[year], [hour]:[minute] UTC"),
    error,
    mistake,
};

fn error(code: &str) -> &'static str {
    match code {
        "credentials_wrong" => "E-Mail oder Passwort ist falsch.",
        "factor_wrong" => "Dieser Code ist falsch, oder er wurde schon benutzt.",
        "login_expired" => "Ihre Anmeldung ist abgelaufen. Bitte melden Sie sich noch einmal an.",
        "passkey_unknown" => {
            "Dieser Passkey gehört hier zu keinem Konto. Bitte wählen Sie einen anderen Weg."
        }
        "passkey_wrong" => {
            "Dieser Passkey wurde nicht angenommen. Bitte versuchen Sie es noch einmal oder auf anderem Weg."
        }
        "challenge_expired" => {
            "Das hat zu lange gedauert, oder es ist schon geschehen. Bitte beginnen Sie von vorn."
        }
        "too_many_factors" => "Sie haben schon 20 Faktoren. Entfernen Sie zuerst einen.",
        "too_few_ways" => {
            "So blieben zu wenige Wege zur Anmeldung. Fügen Sie zuerst einen anderen Faktor hinzu, oder erstellen Sie Wiederherstellungscodes."
        }
        "not_signed_in" => "Sie sind nicht angemeldet.",
        "insufficient_user_authentication" => "Bitte bestätigen Sie, dass Sie es sind.",
        "account_disabled" => "Dieses Konto ist gesperrt.",
        "not_allowed" => "Dafür fehlt Ihnen die Berechtigung.",
        "not_found" => "Diese Seite gibt es nicht.",
        "method_not_allowed" => "So lässt sich diese Seite nicht verwenden.",
        "email_taken" => {
            "Diese E-Mail-Adresse ist schon registriert. Melden Sie sich an, oder nehmen Sie eine andere."
        }
        "link_invalid" => "Der Link oder der Code gilt nicht mehr. Fordern Sie eine neue E-Mail an.",
        "last_admin" => "Das ist der letzte Administrator. Ernennen Sie zuerst einen anderen.",
        "too_many_attempts" => "Zu viele Versuche. Bitte versuchen Sie es in {minutes} Min. erneut.",
        "busy" | "database_unavailable" | "not_ready" | "timed_out" => {
            "Der Dienst ist überlastet. Bitte versuchen Sie es gleich noch einmal."
        }
        "body_not_object"
        | "body_too_large"
        | "body_too_slow"
        | "content_encoded"
        | "content_type_not_json"
        | "content_type_not_form"
        | "body_not_form"
        | "query_invalid" => "Die Anfrage war nicht lesbar.",
        "form_forged" => {
            "Dieses Formular kam nicht von unserer Seite, darum ist nichts geschehen. Öffnen Sie die Seite, und senden Sie es noch einmal."
        }
        "internal_error" => "Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es noch einmal.",
        _ => "",
    }
}

fn mistake(code: &str) -> &'static str {
    match code {
        "name_has_invisible_character"
        | "email_has_invisible_character"
        | "search_has_invisible_character" => {
            "Der Text enthält ein unsichtbares Zeichen. Bitte tippen Sie ihn neu."
        }
        "required" => "Bitte füllen Sie dieses Feld aus.",
        "name_too_long" => "Höchstens 100 Zeichen.",
        "code_malformed" => {
            "Ein Code hat sechs Ziffern, oder er ist ein Wiederherstellungscode aus 24 Buchstaben und Ziffern."
        }
        "code_wrong" => {
            "Dieser Code ist falsch. Warten Sie auf den nächsten, und prüfen Sie die Uhr der App."
        }
        "credential_malformed" | "credential_wrong" => {
            "Dieser Passkey lässt sich nicht hinzufügen. Bitte versuchen Sie es noch einmal."
        }
        "token_malformed" => "Bitte beginnen Sie von vorn.",
        "email_malformed" => "Das ist keine E-Mail-Adresse.",
        "email_not_ascii" => "Adressen mit Umlauten oder anderen besonderen Zeichen gehen hier nicht.",
        "email_too_long" => "Diese Adresse ist zu lang.",
        "password_too_short" => "Mindestens {min} Zeichen.",
        "password_too_long" => {
            "Dieses Passwort ist zu lang: höchstens 72 Bytes, das sind 72 einfache Zeichen."
        }
        "password_has_control_character" => "Keine Steuerzeichen.",
        "password_too_common" => {
            "Das ist eines der häufigsten Passwörter. Ergänzen Sie ein, zwei Wörter, die niemand erwartet."
        }
        "password_too_weak" => {
            "Dieses Passwort ist zu leicht zu erraten, etwa weil es aus Ihrem Namen besteht. Ergänzen Sie ein, zwei Wörter, die niemand erwartet."
        }
        "role_malformed" => {
            "Erlaubt sind a bis z, 0 bis 9, - und _, mit einem Buchstaben oder einer Ziffer am Anfang."
        }
        "user_id_malformed" => "Das ist nicht die ID eines Benutzers.",
        "time_malformed" => "Das ist kein Datum.",
        "search_too_long" => "Das ist zu lang.",
        "invalid" | "actor_unknown" | "cursor_invalid" | "event_unknown" | "ids_malformed"
        | "limit_out_of_range" | "not_text" | "not_true_or_false" | "unknown" => "Das ist nicht gültig.",
        _ => "",
    }
}
