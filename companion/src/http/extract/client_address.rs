//! The client's address behind proxies: which entry of `x-forwarded-for` to believe, and how one is spelled.

use std::net::{IpAddr, SocketAddr};

/// The address of the client of a request.
///
/// `forwarded_for` holds the values of all `x-forwarded-for` fields in their order: they are one list (RFC 9110 §5.3).
/// Each proxy appends the address that it saw, so of the entries only the last `trusted_hops` are written by proxies of
/// our own, and the first of these is the client's. With fewer entries than that the first one is taken: the request
/// came in behind the outermost proxy, from a health check or a neighbour, and every entry is a proxy's of our own.
/// With 0 hops, or without any entry, it is the peer's.
///
/// `None` if the proxy does not know the address (it writes `unknown` or a name of its own, as RFC 7239 §6 has them), or
/// there is no peer: another proxy's address in its place would be wrong.
#[must_use]
pub fn client_address<'a>(
    forwarded_for: impl DoubleEndedIterator<Item = &'a [u8]>,
    trusted_hops: u8,
    peer: Option<IpAddr>,
) -> Option<IpAddr> {
    // RFC 9110 §5.6.1.2: empty elements do not count.
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

/// An entry as proxies write it: an address, alone or in brackets, with a port or without, with an IPv6 zone or without.
fn parse_entry(entry: &str) -> Option<IpAddr> {
    if let Ok(address) = entry.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    // A zone means something on the proxy's own machine alone (RFC 4007 §11).
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
    fn the_client_is_as_many_entries_from_the_end_as_there_are_proxies() {
        let way = ["198.51.100.1, 203.0.113.2", "203.0.113.3,203.0.113.4"];
        check(&way, 0, Some(PEER));
        check(&way, 1, Some("203.0.113.4"));
        check(&way, 2, Some("203.0.113.3"));
        check(&way, 3, Some("203.0.113.2"));
        check(&way, 4, Some("198.51.100.1"));
        check(&[" 203.0.113.3 ,, \t203.0.113.4 ,", ""], 2, Some("203.0.113.3"));
    }

    #[test]
    fn with_fewer_entries_than_proxies_the_first_one_counts() {
        check(&["203.0.113.3, 203.0.113.4"], 3, Some("203.0.113.3"));
        check(&["203.0.113.4"], 10, Some("203.0.113.4"));
        check(&[], 2, Some(PEER));
        check(&["", " , "], 2, Some(PEER));
    }

    #[test]
    fn an_entry_is_read_in_every_spelling_of_proxies() {
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
    fn an_entry_that_is_no_address_names_nobody() {
        for entry in
            ["unknown", "_hidden", "localhost", "203.0.113", "203.0.113.9:", "[203.0.113.9", "\u{e9}"]
        {
            check(&[entry], 1, None);
            check(&["203.0.113.9", entry], 1, None);
        }
    }
}
