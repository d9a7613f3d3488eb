//! The network of a client's address, which is stored in place of the address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns the network of an address as `<address>/<bits>`: /24 of IPv4, /48 of IPv6. An IPv6 address that maps an IPv4
/// one counts as that (RFC 4291 §2.5.5.2).
///
/// Chosen: enough for its owner to recognise, and too little to identify a person by.
#[must_use]
pub fn prefix(address: IpAddr) -> String {
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
    fn prefix_has_24_bits_of_ipv4_and_48_of_ipv6() {
        for (address, expected) in [
            ("203.0.113.77", "203.0.113.0/24"),
            ("::ffff:203.0.113.77", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
            ("::1", "::/48"),
        ] {
            assert_eq!(prefix(address.parse().unwrap()), expected);
        }
    }
}
