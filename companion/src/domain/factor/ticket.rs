//! Ticket: a random token that a client presents once, to go on with what it began. Only its hash is stored.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

/// Number of random bytes of a ticket.
pub const RANDOM_BYTES: usize = 32;

/// SHA-256 of a ticket.
pub type TicketHash = [u8; 32];

/// Ticket. It has no `Debug`, so that no log can show it.
#[derive(Clone)]
pub struct Ticket([u8; RANDOM_BYTES]);

/// Text that is not a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("The token is not one of ours")]
pub struct InvalidTicket;

impl Ticket {
    /// Makes a ticket of random bytes.
    #[must_use]
    pub fn new(random: [u8; RANDOM_BYTES]) -> Self {
        Self(random)
    }

    /// Parses the text of a ticket.
    ///
    /// # Errors
    /// [`InvalidTicket`] if it is none.
    pub fn parse(text: &str) -> Result<Self, InvalidTicket> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidTicket)?;
        bytes.try_into().map(Self).map_err(|_| InvalidTicket)
    }

    /// Returns the text, for the client.
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Returns the hash, which is stored.
    #[must_use]
    pub fn hash(&self) -> TicketHash {
        let mut hash = [0; 32];
        hash.iter_mut().zip(digest(&SHA256, &self.0).as_ref()).for_each(|(to, from)| *to = *from);
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticket_is_read_from_its_text_alone() {
        let ticket = Ticket::new([7; RANDOM_BYTES]);
        assert_eq!(Ticket::parse(&ticket.to_text()).map(|read| read.hash()), Ok(ticket.hash()));
        for text in ["", "AAAA", "not base64!", &"A".repeat(1000)] {
            assert_eq!(Ticket::parse(text).err(), Some(InvalidTicket), "{text}");
        }
    }
}
