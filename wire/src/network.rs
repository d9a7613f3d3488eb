//! Networks of addresses (RFC 4632, RFC 4291 §2.3).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
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
}
