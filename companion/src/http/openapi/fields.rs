//! Schemas of the fields that people type. Their limits are those of the domain.
//!
//! The API rejects all that a schema rejects. The reverse does not hold: JSON Schema cannot say that a name has no invisible
//! character, or count a password in bytes. The descriptions do.

use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};

use crate::domain::account::{email, name, password};

/// White space at both ends, control characters included: it is removed.
const BLANKS: &str = r"[\t-\r \u0085\u00a0]*";
/// Any characters but control characters.
const NO_CONTROLS: &str = r"[^\u0000-\u001f\u007f-\u009f]";

fn text(description: &str, example: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).examples([example])
}

/// Schema of a first name.
pub(in crate::http) fn first_name() -> Object {
    any_name("Ada")
}

/// Schema of a last name.
pub(in crate::http) fn last_name() -> Object {
    any_name("Lovelace")
}

fn any_name(example: &str) -> Object {
    let description = "Blanks and invisible characters around it are removed; within it there are none.";
    text(description, example)
        .min_length(Some(1))
        .max_length(Some(name::MAX_CHARS))
        .pattern(Some(format!("^{BLANKS}{NO_CONTROLS}+{BLANKS}$")))
        .build()
}

/// Schema of an e-mail address.
pub(in crate::http) fn email() -> Object {
    let description =
        "E-mail address, ASCII alone. Blanks around it are removed, and letters become lower case.";
    let atom = "[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+";
    let label = "[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?";
    text(description, "ada@example.com")
        .max_length(Some(email::MAX_BYTES))
        .pattern(Some(format!(r"^{BLANKS}{atom}(\.{atom})*@({label}\.)+{label}{BLANKS}$")))
        .build()
}

/// Schema of a new password.
pub(in crate::http) fn new_password() -> Object {
    let description = format!(
        "At most {} bytes of UTF-8, in the normal form NFC and without control characters. Nothing is trimmed.",
        password::MAX_BYTES
    );
    text(&description, "correct horse battery staple")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .min_length(Some(password::MIN_CHARS))
        .max_length(Some(password::MAX_BYTES))
        .pattern(Some(format!("^{NO_CONTROLS}*$")))
        .build()
}

/// Schema of a password that is compared. The rules for new ones do not apply.
pub(in crate::http) fn password() -> Object {
    text("Password as it was typed.", "correct horse battery staple")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .min_length(Some(1))
        .build()
}

/// Schema of a time.
pub(in crate::http) fn timestamp() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some("Time in UTC, with milliseconds."))
        .examples(["2026-03-01T09:30:00.000Z"])
        .build()
}

/// Schema of a role.
pub(in crate::http) fn role() -> Object {
    text("Role, as rules of the gateway name it.", "customer")
        .pattern(Some("^[a-z0-9][a-z0-9_-]{0,63}$"))
        .build()
}

/// Schema of an ID of a user or a session.
pub(in crate::http) fn id() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1))
        .examples([42])
        .build()
}
