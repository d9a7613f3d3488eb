//! An e-mail address in the one spelling that accounts are compared by. Whether it exists is not asked here.

use std::fmt;

use super::text::is_ignorable;
use crate::domain::host_name::is_host_name;

/// The longest address mail can be sent to (RFC 5321 §4.5.3.1.3, less the angle brackets).
const MAX_BYTES: usize = 254;
/// RFC 5321 §4.5.3.1.1.
const MAX_LOCAL_BYTES: usize = 64;

/// An address: ASCII, lower case, trimmed, `local@domain.tld`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

/// Why a text is not an address that accounts can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidEmail {
    /// Nothing but white space.
    Empty,
    /// More than 254 bytes, or more than 64 before the `@`.
    TooLong,
    /// An invisible character within, which came along when it was pasted.
    Unseen,
    /// Characters other than ASCII.
    NotAscii,
    /// Not of the form `local@domain.tld`.
    Malformed,
}

impl Email {
    /// Reads an address as a person types or pastes it: white space and what is not seen around it do not count, nor does
    /// case.
    ///
    /// ASCII only: folding the case of other letters merges addresses that differ (CVE-2019-19844). Full-width letters are
    /// refused for the same reason, and a domain of other letters is taken in its `xn--` form, which has one reading.
    pub fn parse(typed: &str) -> Result<Self, InvalidEmail> {
        let typed = typed.trim_matches(|char: char| char.is_whitespace() || is_ignorable(char));
        if typed.is_empty() {
            return Err(InvalidEmail::Empty);
        }
        if typed.chars().any(is_ignorable) {
            return Err(InvalidEmail::Unseen);
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

    /// Takes the address of a stored row as it is: one that was imported need not have this form.
    #[must_use]
    pub fn stored(address: String) -> Self {
        Self(address)
    }

    /// The address, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A `Dot-string` (RFC 5321 §4.1.2). Quoted local parts are not taken: nobody has one, and they break mailers.
fn is_local_part(local: &str) -> bool {
    let is_atext = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

/// A host's name of two or more labels, the last one not a number.
fn is_domain(domain: &str) -> bool {
    let last = domain.rsplit_once('.').map(|(_, last)| last);
    is_host_name(domain) && last.is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Display for InvalidEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "E-mail is required",
            Self::TooLong => "E-mail is too long",
            Self::Unseen => "E-mail has an invisible character: type it by hand",
            Self::NotAscii => {
                "E-mail takes plain letters of half width alone; a domain with others has an xn-- form"
            }
            Self::Malformed => "E-mail is not an e-mail address",
        })
    }
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
    fn what_is_not_an_address_is_refused() {
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
    fn a_pasted_address_is_freed_of_what_nobody_sees_around_it() {
        check("\u{feff}ada@example.com", Ok("ada@example.com"));
        check("\u{a0}ada@example.com\u{200b}\u{3000}", Ok("ada@example.com"));
        check("\u{202a}ada@example.com\u{202c}", Ok("ada@example.com"));
        check("\u{200b}", Err(InvalidEmail::Empty));
        for typed in ["ada\u{200b}@example.com", "ada@exam\u{ad}ple.com", "a\u{2060}da@example.com"] {
            check(typed, Err(InvalidEmail::Unseen));
        }
    }

    #[test]
    fn other_letters_are_refused_with_what_to_do() {
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
    fn lengths_are_limited_at_the_last_byte() {
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
