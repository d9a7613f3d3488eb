//! Networks of addresses (RFC 4632, RFC 4291 §2.3), and the address of a client as the host writes it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use thiserror::Error;

/// Network. Its `Display` is `<address>/<bits>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// The text is not `<address>/<bits>`, or an address follows the bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a network: it must be an address, a slash and the number of leading bits")]
pub struct InvalidNetwork;

impl Network {
    /// Returns the network of an address with this number of leading bits, at most 32 or 128.
    #[must_use]
    pub fn of(address: IpAddr, bits: u8) -> Self {
        let address = match address {
            IpAddr::V4(address) => {
                let host_part = u32::MAX.checked_shr(bits.into()).unwrap_or(0);
                Ipv4Addr::from_bits(address.to_bits() & !host_part).into()
            }
            IpAddr::V6(address) => {
                let host_part = u128::MAX.checked_shr(bits.into()).unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() & !host_part).into()
            }
        };
        Self { address, bits }
    }

    /// Number of leading bits.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.bits
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, bits) = text.split_once('/').ok_or(InvalidNetwork)?;
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let bits: u8 = bits.parse().map_err(|_| InvalidNetwork)?;
        let network = Self::of(address, bits);
        let max_bits = if address.is_ipv4() { 32 } else { 128 };
        if bits <= max_bits && network.address == address { Ok(network) } else { Err(InvalidNetwork) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.bits)
    }
}

/// Reads the address of a client as Envoy writes it: with a port, and in brackets if it is one of IPv6. An IPv6 address that
/// maps an IPv4 one counts as that (RFC 4291 §2.5.5.2).
#[must_use]
pub fn client_address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?;
    let with_port = text.parse().map(|address: SocketAddr| address.ip());
    with_port.or_else(|_| text.parse()).ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_is_an_address_without_host_part_and_its_bits() {
        for text in ["192.0.2.7/32", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::/64", "2001:db8::1/128", "::/0"]
        {
            assert_eq!(text.parse().map(|network: Network| network.to_string()), Ok(text.to_owned()));
        }
        for text in
            ["", "192.0.2.7", "192.0.2.7/", "192.0.2.7/33", "192.0.2.7/24", "2001:db8::/129", "::1/64", "x/8"]
        {
            assert_eq!(text.parse::<Network>(), Err(InvalidNetwork), "{text}");
        }
    }

    #[test]
    fn client_address_has_a_port_or_none() {
        for (text, expected) in [
            ("192.0.2.7:443", Some("192.0.2.7")),
            ("192.0.2.7:0", Some("192.0.2.7")),
            ("192.0.2.7", Some("192.0.2.7")),
            ("[2001:db8::1]:0", Some("2001:db8::1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[::ffff:192.0.2.7]:1", Some("192.0.2.7")),
            ("", None),
            ("/var/run/socket", None),
            ("example.com:80", None),
            ("\u{e9}", None),
        ] {
            assert_eq!(client_address(text.as_bytes()), expected.map(|text| text.parse().unwrap()), "{text}");
        }
        assert_eq!(client_address(&[0xff]), None);
    }
}
