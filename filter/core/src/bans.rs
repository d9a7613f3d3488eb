//! Bans: networks from which a kind of request is rejected for a time, without a question to the companion. `edge_state`
//! takes them from the edge feed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use edgeward_wire::edge_feed::{Ban, BanScope, MAX_BANS};
use edgeward_wire::{InvalidNetwork, Network};

use crate::rejection::Rejection;

/// Bans of every kind.
#[derive(Debug, Default)]
pub struct Bans {
    /// Ends, in seconds since 1970.
    until: BTreeMap<(BanScope, Network), u32>,
    /// Numbers of leading bits that networks have. There are few, and each costs one search.
    bits: BTreeSet<u8>,
    skipped: usize,
}

impl Bans {
    /// Reads a list of the feed. Entries of scopes that this release does not know are left out. Those that are not of a network
    /// and those beyond [`MAX_BANS`] are skipped and counted: the response has revocations too, which matter more.
    #[must_use]
    pub fn read(list: &[Ban]) -> Self {
        let mut bans = Self { skipped: list.len().saturating_sub(MAX_BANS), ..Self::default() };
        let known = list.iter().take(MAX_BANS).filter(|Ban(_, scope, _)| *scope != BanScope::Unknown);
        for Ban(network, scope, until) in known {
            match network.parse::<Network>() {
                Ok(network) => {
                    bans.bits.insert(network.bits());
                    bans.until.insert((*scope, network), *until);
                }
                Err(InvalidNetwork) => bans.skipped += 1,
            }
        }
        bans
    }

    /// Checks that an address may send a kind of request at `now`, in seconds since 1970.
    ///
    /// Addresses of loopback are never banned: behind a proxy that is not trusted, everybody has one.
    ///
    /// # Errors
    /// [`Rejection::NetworkBanned`], with the ban that ends last.
    pub fn judge(&self, address: IpAddr, scope: BanScope, now: u64) -> Result<(), Rejection> {
        let find = |&bits: &u8| {
            let network = Network::of(address, bits);
            let until = u64::from(*self.until.get(&(scope, network))?);
            (until > now).then_some((until, network))
        };
        match self.bits.iter().filter_map(find).max() {
            Some((until, network)) if !address.is_loopback() => {
                Err(Rejection::NetworkBanned { network, until, now })
            }
            _ => Ok(()),
        }
    }

    /// Returns the number of bans, including those whose time is over.
    #[must_use]
    pub fn len(&self) -> usize {
        self.until.len()
    }

    /// Returns the number of entries of the list that could not be used.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// `true` if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.until.is_empty()
    }
}

#[cfg(test)]
mod tests;
