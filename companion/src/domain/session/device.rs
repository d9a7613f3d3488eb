//! The device that a session was started from, as its owner will recognise it in a list: program and network. Both come
//! from the client, so no decision depends on them.

use std::net::IpAddr;

use crate::domain::account::text;
use crate::domain::network;

/// Maximum length of a device's name, in characters. Chosen: browsers send less than 200, and apps that show pages a little more.
const MAX_NAME_CHARS: usize = 256;

/// Device that a session was started from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Name that the program gives itself; `None` if it gives none.
    pub name: Option<String>,
    /// Network of its address; `None` if the address is unknown.
    pub address_prefix: Option<String>,
}

impl Device {
    /// Describes a device by its `User-Agent` (RFC 9110 §10.1.5) and its address.
    #[must_use]
    pub fn new(user_agent: Option<&[u8]>, address: Option<IpAddr>) -> Self {
        Self { name: user_agent.and_then(name), address_prefix: address.map(network::prefix) }
    }
}

/// Returns the visible characters, at most [`MAX_NAME_CHARS`], with one space for each run of others.
fn name(user_agent: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(user_agent);
    let shown: String =
        text::with_visibility(&text).map(|(char, is_visible)| if is_visible { char } else { ' ' }).collect();
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let kept: String = words.chars().take(MAX_NAME_CHARS).collect();
    let kept = kept.trim_end();
    (!kept.is_empty()).then(|| kept.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_a_device_is_visible_and_short() {
        fn check(user_agent: &[u8], expected: Option<&str>) {
            assert_eq!(Device::new(Some(user_agent), None).name.as_deref(), expected, "{user_agent:?}");
        }
        check(
            b"Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
            Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"),
        );
        check(b"  curl/8\t \x1b[31m ", Some("curl/8 [31m"));
        check("a\u{202e}b\u{200b}c\u{feff}".as_bytes(), Some("a b c"));
        check(b"\xff\xfe", Some("\u{fffd}\u{fffd}"));
        check(b"", None);
        check(b" \t ", None);
        check(&[b'x'; 500], Some(&"x".repeat(256)));
        check("é".repeat(500).as_bytes(), Some(&"é".repeat(256)));
        check(format!("{} y", "x".repeat(255)).as_bytes(), Some(&"x".repeat(255)));
    }
}
