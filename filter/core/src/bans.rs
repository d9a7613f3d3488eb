//! Bans: networks from which a kind of request is rejected for a time, without a question to the companion. `edge_state`
//! takes them from the edge feed, which has all of them or none.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use edgeward_wire::edge_feed::{Ban, Door, MAX_BANS};
use thiserror::Error;

use crate::network::Network;
use crate::rejection::Rejection;

/// Bans of every kind.
#[derive(Debug, Default)]
pub struct Bans {
    /// Ends, in seconds since 1970.
    until: BTreeMap<(Door, Network), u32>,
    /// Numbers of leading bits that networks have. There are few, and each costs one search.
    bits: BTreeSet<u8>,
}

/// List of bans that is not valid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidBans {
    /// More than [`MAX_BANS`].
    #[error("there are more than {MAX_BANS}")]
    TooMany,
    /// A network does not parse.
    #[error("entry {0} is not of a network")]
    NetworkMalformed(usize),
}

impl Bans {
    /// Reads a list. Kinds of requests that this release does not know are left out.
    ///
    /// # Errors
    /// [`InvalidBans`] if the list is too long, or if a network of any kind does not parse.
    pub fn read(list: &[Ban]) -> Result<Self, InvalidBans> {
        if list.len() > MAX_BANS {
            return Err(InvalidBans::TooMany);
        }
        let mut bans = Self::default();
        for (at, Ban(network, door, until)) in list.iter().enumerate() {
            let network: Network = network.parse().map_err(|_| InvalidBans::NetworkMalformed(at))?;
            if *door != Door::Unknown {
                bans.bits.insert(network.bits());
                bans.until.insert((*door, network), *until);
            }
        }
        Ok(bans)
    }

    /// Checks that an address may send a kind of request at `now`, in seconds since 1970.
    ///
    /// Addresses of loopback are never banned: behind a proxy that is not trusted, everybody has one.
    ///
    /// # Errors
    /// [`Rejection::AddressBanned`], with the ban that ends last.
    pub fn judge(&self, address: IpAddr, door: Door, now: u64) -> Result<(), Rejection> {
        let find = |&bits: &u8| {
            let network = Network::of(address, bits);
            let until = u64::from(*self.until.get(&(door, network))?);
            (until > now).then_some((until, network))
        };
        match self.bits.iter().filter_map(find).max() {
            Some((until, network)) if !address.is_loopback() => {
                Err(Rejection::AddressBanned { network, until, now })
            }
            _ => Ok(()),
        }
    }

    /// Returns the number of bans, including those whose time is over.
    #[must_use]
    pub fn len(&self) -> usize {
        self.until.len()
    }

    /// `true` if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.until.is_empty()
    }
}

#[cfg(test)]
mod tests;
