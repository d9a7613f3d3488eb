//! Schemas of the fields that people type. Their limits are those of the domain.
//!
//! The API rejects all texts in the normal form NFC that a schema rejects; those in another form are counted in it by the API
//! alone. The reverse does not hold for fields with a `format` of ours, as JSON Schema cannot say which joiners a spelling
//! needs, count a password in bytes, or tell whether it is guessed. The descriptions do.

use edgeward_wire::origin::MAX_LABEL_BYTES;
use utoipa::openapi::Ref;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};

use crate::domain::account::{email, name, password};
use crate::domain::token::one_time::Purpose;

/// White space (Unicode's `White_Space`).
const BLANKS: &str = r"\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";
/// Characters that a display may leave out (Unicode's `Default_Ignorable_Code_Point`), without those above U+FFFF, which
/// the dialects of regular expressions write differently.
const IGNORABLE: &str = r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8";
/// Control characters.
const CONTROLS: &str = r"\u0000-\u001f\u007f-\u009f";

fn text(description: &str, example: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).examples([example])
}

fn custom(name: &str) -> SchemaFormat {
    SchemaFormat::Custom(name.to_owned())
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
    let description = format!(
        "At most {} characters in the normal form NFC. Blanks and invisible characters around it are removed; within it, \
         there are none but the joiners of its script.",
        name::MAX_CHARS
    );
    let (outer, inner) = (format!("[{BLANKS}{IGNORABLE}]"), format!("[^{BLANKS}{IGNORABLE}{CONTROLS}]"));
    let between = name::MAX_CHARS - 2;
    text(&description, example)
        .format(Some(custom("name")))
        .pattern(Some(format!("^{outer}*{inner}([^{CONTROLS}]{{0,{between}}}{inner})?{outer}*$")))
        .build()
}

/// Schema of an e-mail address. Its format is not `email`, which has no blanks around it and may have quotes.
pub(in crate::http) fn email() -> Object {
    let description = format!(
        "E-mail address of at most {} characters, ASCII alone. Blanks and invisible characters around it are removed, and \
         letters become lower case.",
        email::MAX_BYTES
    );
    let outer = format!("[{BLANKS}{IGNORABLE}]");
    let total = format!("(?=[!-~]{{1,{}}}[^!-~]*$)", email::MAX_BYTES);
    let local = format!("(?=[^@]{{1,{}}}@)", email::MAX_LOCAL_BYTES);
    let atom = "[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+";
    let label = format!("[0-9A-Za-z]([0-9A-Za-z-]{{0,{}}}[0-9A-Za-z])?", MAX_LABEL_BYTES - 2);
    text(&description, "ada@example.com")
        .format(Some(custom("email-address")))
        .pattern(Some(format!(
            r"^{outer}*{total}{local}{atom}(\.{atom})*@({label}\.)+(?![0-9]+[^!-~]*$){label}{outer}*$"
        )))
        .build()
}

/// Schema of a new password.
pub(in crate::http) fn new_password() -> Object {
    let description = format!(
        "At most {} bytes of UTF-8, in the normal form NFC and without control characters. Nothing is trimmed. One that is \
         guessed too easily is rejected.",
        password::MAX_BYTES
    );
    text(&description, "correct horse battery staple")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .min_length(Some(password::MIN_CHARS))
        .max_length(Some(password::MAX_BYTES))
        .pattern(Some(format!("^[^{CONTROLS}]*$")))
        .build()
}

/// Schema of a password that is compared. The rules for new ones do not apply.
pub(in crate::http) fn password() -> Object {
    text("Password as it was typed.", "correct horse battery staple")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .min_length(Some(1))
        .build()
}

/// Schema of the token of a link.
pub(in crate::http) fn link_token() -> Object {
    text("Token of the link, its parameter `token`.", "b25lLXRpbWUgdG9rZW4gb2YgYSBsaW5rIGluIGEgbWE").build()
}

/// Schema of the ID of a request for a mail.
pub(in crate::http) fn request_id() -> Object {
    text(
        "The `requestId` of the response to the request, with `code`.",
        "cmVxdWVzdCBmb3IgYSBtYWlsIHdpdGggYSBjb2RlIC0",
    )
    .build()
}

/// Schema of the code of a mail.
pub(in crate::http) fn code() -> Object {
    text("Eight digits; blanks and hyphens between them do not count.", "1234 5678").build()
}

/// Schema of the purpose of a mail.
pub(in crate::http) fn purpose() -> Object {
    one_of(Purpose::CONFIRMED.map(Purpose::as_str))
}

/// Schema of the code of a factor.
pub(in crate::http) fn factor_code() -> Object {
    text(
        "Six digits of an authenticator app, or a recovery code. Blanks and hyphens do not matter.",
        "123456",
    )
    .format(Some(custom("factor-code")))
    .build()
}

/// Schema of the first code of an authenticator app.
pub(in crate::http) fn totp_code() -> Object {
    text("Six digits of the authenticator app.", "123456").format(Some(custom("totp-code"))).build()
}

/// Schema of a token that is presented once: 256 bits, so that the last character has two less.
pub(in crate::http) fn ticket() -> Object {
    text("Token of the response that asked for this.", "q6FXWD8nXUNfdZcDO0cVvdgaj05ktGKBWvvzw8YJZzE")
        .pattern(Some("^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"))
        .build()
}

/// Schema of the response of a passkey.
pub(in crate::http) fn passkey() -> Ref {
    Ref::from_schema_name("PasskeyResponse")
}

/// Schema of the name of a factor.
pub(in crate::http) fn factor_name() -> Object {
    any_name("Phone")
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

/// Schema of one of these names.
pub(in crate::http) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).build()
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
