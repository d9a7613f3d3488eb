//! Address of a client behind proxies, from `x-forwarded-for`.

use std::net::{IpAddr, SocketAddr};

/// Returns the address of the client of a request.
///
/// `forwarded_for` holds the values of all `x-forwarded-for` header fields in their order: they form one list (RFC 9110
/// §5.3). Each proxy appends the address of its peer. So only the last `trusted_hops` entries come from trusted
/// proxies, and the first of these is the client's. If there are fewer entries, the first one counts: the request came
/// from behind the outermost proxy, such as a health check, and trusted proxies wrote every entry. With 0 hops or
/// without an entry, the client is the `peer`.
///
/// `None` if the proxy does not know the address (`unknown` or an obfuscated name, RFC 7239 §6), or if there is no
/// peer. Another proxy's address in its place would be wrong.
#[must_use]
pub(super) fn client_address<'a>(
    forwarded_for: impl DoubleEndedIterator<Item = &'a [u8]>,
    trusted_hops: u8,
    peer: Option<IpAddr>,
) -> Option<IpAddr> {
    // Empty elements do not count (RFC 9110 §5.6.1.2).
    let entries = forwarded_for
        .rev()
        .flat_map(|value| value.rsplit(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|entry| !entry.is_empty());
    match entries.take(trusted_hops.into()).last() {
        Some(entry) => str::from_utf8(entry).ok().and_then(parse_entry),
        None => peer,
    }
}

/// Parses an entry in the spellings of proxies: an address, with or without brackets, port and IPv6 zone.
fn parse_entry(entry: &str) -> Option<IpAddr> {
    if let Ok(address) = entry.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    // A zone is meaningful only on the proxy's machine (RFC 4007 §11).
    bare.split('%').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "10.0.0.1";

    fn check(fields: &[&str], trusted_hops: u8, expected: Option<&str>) {
        let values = fields.iter().map(|field| field.as_bytes());
        let address = client_address(values, trusted_hops, PEER.parse().ok());
        assert_eq!(address, expected.map(|text| text.parse().unwrap()), "{fields:?}, {trusted_hops}");
    }

    #[test]
    fn client_is_the_entry_before_those_of_trusted_proxies() {
        let fields = ["198.51.100.1, 203.0.113.2", "203.0.113.3,203.0.113.4"];
        check(&fields, 0, Some(PEER));
        check(&fields, 1, Some("203.0.113.4"));
        check(&fields, 2, Some("203.0.113.3"));
        check(&fields, 3, Some("203.0.113.2"));
        check(&fields, 4, Some("198.51.100.1"));
        check(&[" 203.0.113.3 ,, \t203.0.113.4 ,", ""], 2, Some("203.0.113.3"));
    }

    #[test]
    fn first_entry_counts_if_there_are_fewer_entries_than_proxies() {
        check(&["203.0.113.3, 203.0.113.4"], 3, Some("203.0.113.3"));
        check(&["203.0.113.4"], 10, Some("203.0.113.4"));
        check(&[], 2, Some(PEER));
        check(&["", " , "], 2, Some(PEER));
    }

    #[test]
    fn entry_is_parsed_in_every_spelling_of_proxies() {
        for (entry, expected) in [
            ("203.0.113.9", "203.0.113.9"),
            ("203.0.113.9:5678", "203.0.113.9"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:203.0.113.9", "::ffff:203.0.113.9"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%eth0]", "fe80::1"),
        ] {
            check(&[entry], 1, Some(expected));
        }
    }

    #[test]
    fn entry_without_an_address_gives_no_client() {
        for entry in
            ["unknown", "_hidden", "localhost", "203.0.113", "203.0.113.9:", "[203.0.113.9", "\u{e9}"]
        {
            check(&[entry], 1, None);
            check(&["203.0.113.9", entry], 1, None);
        }
    }
}
