//! Where a session was started, in words that its owner will know again: the program, and roughly where from. It is
//! what a client says of itself, so nothing is decided by it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::domain::account::text;

/// The longest name of a device, in characters: what browsers send is shorter.
const MAX_NAME_CHARS: usize = 120;

/// What is kept of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// What it calls itself.
    pub name: Option<String>,
    /// The network that it is in.
    pub address_prefix: Option<String>,
}

impl Device {
    /// A device by its `User-Agent` (RFC 9110 §10.1.5) and its address.
    #[must_use]
    pub fn new(user_agent: Option<&[u8]>, address: Option<IpAddr>) -> Self {
        Self { name: user_agent.and_then(name), address_prefix: address.map(network) }
    }
}

/// The characters that are seen alone, each run of others as one space, and no more than fit.
fn name(user_agent: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(user_agent);
    let shown: String =
        text::with_visibility(&text).map(|(char, is_visible)| if is_visible { char } else { ' ' }).collect();
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let kept: String = words.chars().take(MAX_NAME_CHARS).collect();
    let kept = kept.trim_end();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// Network of an address (/24 or /48): enough for its owner to recognise, and too little to find a person by.
#[must_use]
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_in_printable_characters_that_fit() {
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
        check(&[b'x'; 500], Some(&"x".repeat(120)));
        check("é".repeat(500).as_bytes(), Some(&"é".repeat(120)));
        check(format!("{} y", "x".repeat(119)).as_bytes(), Some(&"x".repeat(119)));
    }

    #[test]
    fn of_an_address_its_network_is_kept() {
        fn check(address: &str, expected: &str) {
            let device = Device::new(None, Some(address.parse().unwrap()));
            assert_eq!(device.address_prefix.as_deref(), Some(expected));
        }
        check("203.0.113.77", "203.0.113.0/24");
        check("::ffff:203.0.113.77", "203.0.113.0/24");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48");
        check("::1", "::/48");
    }
}
