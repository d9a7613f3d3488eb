//! English.

use time::macros::format_description;

use super::{Text, factors, mail};

pub(super) static TEXT: Text = Text {
    lang: "en",
    skip_to_content: "Skip to the content",
    sign_in: "Sign in",
    sign_out: "Sign out",
    sign_out_question: "Do you want to sign out?",
    register: "Register",
    account: "Account",
    first_name: "First name",
    last_name: "Last name",
    email: "E-mail",
    password: "Password",
    password_hint: "{min} characters or more",
    password_strength: "Strength",
    show_password: "Show password",
    caps_lock_is_on: "Caps lock is on",
    no_account_yet: "No account yet?",
    registered_already: "Registered already?",
    registered_sign_in: "If this e-mail address was free, it is registered now. Please sign in.",
    signed_out: "Signed out",
    signed_out_here: "You are signed out of this browser.",
    sign_in_again: "Sign in again",
    confirm: "Confirm",
    confirm_question: "Is it still you?",
    confirm_hint: "What comes next is sensitive. Please type your password again.",
    second_factor_demanded: "The page that you want to open demands a second factor. Your password is not enough for it.",
    names: "Name",
    save: "Save",
    name_changed: "Your name is changed.",
    change_password: "Change the password",
    current_password: "Current password",
    new_password: "New password",
    password_changed: "Your password is changed. All other sessions have ended.",
    current_password_wrong: "This is not your current password.",
    mail: &mail::ENGLISH,
    sessions: "Where you are signed in",
    sessions_hint: "If you do not recognise a session, end it and change your password.",
    this_session: "This session",
    last_used: "Last used",
    since: "Registered",
    unknown_device: "Unknown device",
    device_on: "on",
    end_session: "End",
    end_other_sessions: "End all others",
    session_ended: "The session has ended.",
    sessions_ended: "All other sessions have ended.",
    factors: &factors::EN,
    users: "Users",
    search_users: "E-mail address, last name or ID",
    search: "Search",
    role: "Role",
    state: "State",
    disabled: "Disabled",
    may_sign_in: "May sign in.",
    enable: "Enable sign-in",
    disable: "Disable sign-in, and end all sessions",
    changed: "The change is made.",
    nothing_found: "Nothing found.",
    more: "More",
    sessions_of_user: "Sessions",
    end_all_sessions: "End all sessions",
    audit_log: "Audit log",
    at: "Time",
    event: "Event",
    any: "Any",
    actor: "By",
    user: "User",
    network: "Network",
    details: "Details",
    from: "From",
    until: "Until",
    front_page: "To the front page",
    some_fields_are_wrong: "Please correct the fields that are marked.",
    form_expired: "This page was out of date. Please send the form again.",
    strengths: ["Very weak", "Weak", "Fair", "Strong", "Very strong"],
    time_form: &format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC"),
    error,
    mistake,
};

fn error(code: &str) -> &'static str {
    match code {
        "credentials_wrong" => "E-mail or password is wrong.",
        "factor_wrong" => "This code is wrong, or was used already.",
        "login_expired" => "Your sign-in has expired. Please sign in again.",
        "passkey_unknown" => "This passkey belongs to no account here. Please go on in another way.",
        "passkey_wrong" => "This passkey was not accepted. Please try again, or go on in another way.",
        "challenge_expired" => "This took too long, or is done already. Please begin again.",
        "too_many_factors" => "You have 20 factors already. Remove one first.",
        "too_few_ways" => {
            "Too few ways to sign in would be left. Add another factor, or make recovery codes, first."
        }
        "not_signed_in" => "You are not signed in.",
        "insufficient_user_authentication" => "Please confirm who you are.",
        "account_disabled" => "This account is disabled.",
        "not_allowed" => "You are not allowed to do this.",
        "not_found" => "This page does not exist.",
        "method_not_allowed" => "This page cannot be used in this way.",
        "email_taken" => "This e-mail address is registered already. Sign in, or use another one.",
        "link_invalid" => "The link or the code is not valid any more. Ask for another mail.",
        "last_admin" => "This is the last administrator. Name another one first.",
        "too_many_attempts" => "Too many attempts. Please try again in {minutes} min.",
        "busy" | "database_unavailable" | "not_ready" | "timed_out" => {
            "The service is busy. Please try again in a moment."
        }
        "body_not_object"
        | "body_too_large"
        | "body_too_slow"
        | "content_encoded"
        | "content_type_not_json"
        | "content_type_not_form"
        | "body_not_form"
        | "query_invalid" => "The request could not be read.",
        "form_forged" => {
            "This form did not come from our own page, so nothing was done. Open the page, and send it again."
        }
        "internal_error" => "Something went wrong on our side. Please try again.",
        _ => "",
    }
}

fn mistake(code: &str) -> &'static str {
    match code {
        "name_has_invisible_character"
        | "email_has_invisible_character"
        | "search_has_invisible_character" => "The text has an invisible character. Please type it anew.",
        "required" => "Please fill this in.",
        "name_too_long" => "At most 100 characters.",
        "email_not_ascii" => "Addresses with accents or other special letters do not work here.",
        "email_too_long" => "This address is too long.",
        "password_too_short" => "At least {min} characters.",
        "password_too_long" => "This password is too long: at most 72 bytes, which are 72 plain characters.",
        "password_has_control_character" => "No control characters.",
        "password_too_common" => {
            "This is one of the most used passwords. Add a word or two that nobody expects."
        }
        "password_too_weak" => {
            "This password is too easy to guess, for example because it is made of your name. Add a word or two that nobody expects."
        }
        "code_malformed" => "A code is six digits, or a recovery code of 24 letters and digits.",
        "code_wrong" => "This code is wrong. Wait for the next one, and check the clock of the app.",
        "credential_malformed" | "credential_wrong" => "This passkey cannot be added. Please try again.",
        "token_malformed" => "Please begin again.",
        "email_malformed" => "This is not an e-mail address.",
        "role_malformed" => "Use a to z, 0 to 9, - and _, and begin with a letter or digit.",
        "user_id_malformed" => "This is not the ID of a user.",
        "time_malformed" => "This is not a date.",
        "search_too_long" => "This is too long.",
        "invalid" | "actor_unknown" | "cursor_invalid" | "event_unknown" | "ids_malformed"
        | "limit_out_of_range" | "not_text" | "not_true_or_false" | "unknown" => "This is not valid.",
        _ => "",
    }
}
