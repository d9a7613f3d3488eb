//! An e-mail address in the one spelling that accounts are compared by. Nothing checks that the mailbox exists.

use thiserror::Error;

use super::text::is_ignorable;
use crate::domain::host_name::is_host_name;

/// Maximum length of an address, in bytes (RFC 5321 §4.5.3.1.3, without the angle brackets).
pub const MAX_BYTES: usize = 254;
/// Maximum length of the part before the `@`, in bytes (RFC 5321 §4.5.3.1.1).
pub const MAX_LOCAL_BYTES: usize = 64;

/// E-mail address: ASCII, lower case, trimmed, `local@domain.tld`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

/// Fault of a text that cannot be the address of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidEmail {
    /// The text is white space alone.
    #[error("E-mail is required")]
    Empty,
    /// The text has more than 254 bytes, or more than 64 before the `@`.
    #[error("E-mail is too long")]
    TooLong,
    /// There is an invisible character within the text. Copying from a page or a message brings these along.
    #[error("E-mail has an invisible character: type it by hand")]
    InvisibleCharacter,
    /// There are characters other than ASCII.
    #[error("E-mail takes plain letters of half width alone; a domain with others has an xn-- form")]
    NotAscii,
    /// The text does not have the form `local@domain.tld`.
    #[error("E-mail is not an e-mail address")]
    Malformed,
}

impl Email {
    /// Reads an address as a person types or pastes it. White space and invisible characters around it are removed, and
    /// letters are folded to lower case.
    ///
    /// ASCII only: folding the case of other letters merges addresses that differ (CVE-2019-19844). Full-width
    /// letters are rejected for the same reason. A domain with other letters is accepted in its `xn--` form, which
    /// has one reading.
    ///
    /// # Errors
    /// [`InvalidEmail`] names the first fault that is found.
    pub fn parse(typed: &str) -> Result<Self, InvalidEmail> {
        let typed = typed.trim_matches(|char: char| char.is_whitespace() || is_ignorable(char));
        if typed.is_empty() {
            return Err(InvalidEmail::Empty);
        }
        if typed.chars().any(is_ignorable) {
            return Err(InvalidEmail::InvisibleCharacter);
        }
        if !typed.is_ascii() {
            return Err(InvalidEmail::NotAscii);
        }
        let (local, domain) = typed.split_once('@').ok_or(InvalidEmail::Malformed)?;
        if typed.len() > MAX_BYTES || local.len() > MAX_LOCAL_BYTES {
            return Err(InvalidEmail::TooLong);
        }
        if !is_local_part(local) || !is_domain(domain) {
            return Err(InvalidEmail::Malformed);
        }
        Ok(Self(typed.to_ascii_lowercase()))
    }

    /// Wraps the address of a stored row as it is: an imported one need not have this form.
    #[must_use]
    pub fn stored(address: String) -> Self {
        Self(address)
    }

    /// Returns the address. One that [`Email::parse`] has read is in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns `true` for a `Dot-string` (RFC 5321 §4.1.2). Quoted local parts are rejected: nobody has one, and they break
/// mailers.
fn is_local_part(local: &str) -> bool {
    let is_atext = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

/// Returns `true` for a host name of two or more labels, the last of which is not a number.
fn is_domain(domain: &str) -> bool {
    let last = domain.rsplit_once('.').map(|(_, last)| last);
    is_host_name(domain) && last.is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, expected: Result<&str, InvalidEmail>) {
        assert_eq!(Email::parse(typed).as_ref().map(Email::as_str).map_err(|m| *m), expected, "{typed:?}");
    }

    #[test]
    fn an_address_is_trimmed_and_lower_cased() {
        check("ada@example.com", Ok("ada@example.com"));
        check("  Ada.Lovelace+News@Example.COM\n", Ok("ada.lovelace+news@example.com"));
        check("o'brien@mail.example.co.uk", Ok("o'brien@mail.example.co.uk"));
    }

    #[test]
    fn text_that_is_no_address_is_rejected() {
        check("", Err(InvalidEmail::Empty));
        check(" \t", Err(InvalidEmail::Empty));
        for typed in [
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "ada@@example.com",
            "a@b@example.com",
            "ada@example..com",
            "ada@.example.com",
            "ada@example.com.",
            "ada@-example.com",
            "ada@example-.com",
            "ada@127.0.0.1",
            ".ada@example.com",
            "ada.@example.com",
            "a..da@example.com",
            "a da@example.com",
            "ada@exa mple.com",
            "\"ada\"@example.com",
            "ada\0@example.com",
            "ada@example.com\0",
        ] {
            check(typed, Err(InvalidEmail::Malformed));
        }
    }

    #[test]
    fn invisible_characters_around_a_pasted_address_are_removed() {
        check("\u{feff}ada@example.com", Ok("ada@example.com"));
        check("\u{a0}ada@example.com\u{200b}\u{3000}", Ok("ada@example.com"));
        check("\u{202a}ada@example.com\u{202c}", Ok("ada@example.com"));
        check("\u{200b}", Err(InvalidEmail::Empty));
        for typed in ["ada\u{200b}@example.com", "ada@exam\u{ad}ple.com", "a\u{2060}da@example.com"] {
            check(typed, Err(InvalidEmail::InvisibleCharacter));
        }
    }

    #[test]
    fn letters_outside_ascii_are_rejected() {
        for typed in [
            "ädä@example.com",
            "ada@exämple.com",
            "m\u{131}ke@example.com",
            "\u{ff41}da@example.com",
            "ada\u{ff20}example.com",
            "ada@example\u{3002}com",
        ] {
            check(typed, Err(InvalidEmail::NotAscii));
        }
        check("ada@xn--exmple-cua.com", Ok("ada@xn--exmple-cua.com"));
    }

    #[test]
    fn lengths_are_limited_to_the_byte() {
        let local = "l".repeat(64);
        let domain = format!("{}.{}.{}.com", "a".repeat(63), "b".repeat(63), "c".repeat(57));
        let longest = format!("{local}@{domain}");
        assert_eq!(longest.len(), 254);
        check(&longest, Ok(&longest));
        check(&format!("{local}@a{domain}"), Err(InvalidEmail::TooLong));
        check(&format!("l{local}@example.com"), Err(InvalidEmail::TooLong));
        check(&format!("a@{}.com", "a".repeat(64)), Err(InvalidEmail::Malformed));
    }
}
