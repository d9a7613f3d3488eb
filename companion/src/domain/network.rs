//! Networks of clients. In place of an address, the wider network is stored.

use std::net::IpAddr;

use edgeward_wire::Network;

/// Returns the network that one client has: an address of IPv4, a /64 of IPv6, in which a host chooses its addresses
/// freely (RFC 4862, RFC 8981). An IPv6 address that maps an IPv4 one counts as that (RFC 4291 §2.5.5.2).
#[must_use]
pub fn of_client(address: IpAddr) -> Network {
    cut(address, 32, 64)
}

/// Returns the network of neighbours: /24 of IPv4, /48 of IPv6, which is the largest that a site is given (RFC 6177).
#[must_use]
pub fn of_site(address: IpAddr) -> Network {
    cut(address, 24, 48)
}

fn cut(address: IpAddr, ipv4_bits: u8, ipv6_bits: u8) -> Network {
    let address = address.to_canonical();
    Network::of(address, if address.is_ipv4() { ipv4_bits } else { ipv6_bits })
}

/// Returns the network of an address as `<address>/<bits>`: /24 of IPv4, /48 of IPv6.
///
/// Chosen: enough for its owner to recognise, and too little to identify a person by.
#[must_use]
pub fn prefix(address: IpAddr) -> String {
    of_site(address).to_string()
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
    #[test]
    fn network_of_a_client_is_an_ipv4_address_or_a_64_of_ipv6() {
        for (address, expected) in [
            ("203.0.113.77", "203.0.113.77/32"),
            ("::ffff:203.0.113.77", "203.0.113.77/32"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(of_client(address.parse().unwrap()).to_string(), expected);
        }
    }
}
