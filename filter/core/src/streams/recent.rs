//! The latest streams, each in the slot that its number gives it.

use super::StreamId;
use super::sweep::Followed;

/// Number of slots. Chosen: a power of two; a stream moves to the lasting ones if it is still open after as many others
/// were opened, and with 64-byte identities and tokens of 300 bytes all slots take less than 100 KiB.
const SLOTS: usize = 256;

/// Latest streams of a worker. The host numbers streams one after the other, so that each displaces the one that was
/// opened [`SLOTS`] before it. Both operations touch one slot, and nothing is allocated once each slot has been used.
pub(super) struct Recent(Vec<Slot>);

/// A slot keeps the buffer of its token while it is empty.
#[derive(Default)]
struct Slot {
    open: Option<(StreamId, Followed)>,
    /// Empty if there is no token.
    refresh_token: Vec<u8>,
}

/// An open stream that leaves its slot. It has no `Debug`, as it holds a secret.
pub(super) struct Open {
    pub(super) stream: StreamId,
    pub(super) followed: Followed,
    refresh_token: Vec<u8>,
}

/// An open stream in its slot.
pub(super) struct InSlot<'a> {
    pub(super) stream: StreamId,
    pub(super) followed: &'a Followed,
    refresh_token: &'a [u8],
}

impl Recent {
    pub(super) fn new() -> Self {
        Self(std::iter::repeat_with(Slot::default).take(SLOTS).collect())
    }

    /// Writes a stream into its slot, and returns the one that was open there.
    pub(super) fn insert(
        &mut self,
        stream: StreamId,
        followed: Followed,
        refresh_token: Option<&[u8]>,
    ) -> Option<Open> {
        let slot = self.0.get_mut(index(stream))?;
        let displaced = slot.open.take().filter(|(displaced, _)| *displaced != stream);
        let displaced = displaced.map(|(stream, followed)| Open {
            stream,
            followed,
            refresh_token: std::mem::take(&mut slot.refresh_token),
        });
        slot.open = Some((stream, followed));
        slot.refresh_token.clear();
        slot.refresh_token.extend_from_slice(refresh_token.unwrap_or_default());
        displaced
    }

    /// Clears the slot of a stream. Returns `false` if the stream is not there.
    pub(super) fn remove(&mut self, stream: StreamId) -> bool {
        let slot = self.0.get_mut(index(stream));
        let Some(slot) = slot.filter(|slot| slot.open.as_ref().is_some_and(|(open, _)| *open == stream))
        else {
            return false;
        };
        slot.open = None;
        true
    }

    /// Clears the slots of the streams for which `stays` returns `false`.
    pub(super) fn retain(&mut self, mut stays: impl FnMut(InSlot<'_>) -> bool) {
        for slot in &mut self.0 {
            let Some((stream, followed)) = &slot.open else { continue };
            if !stays(InSlot { stream: *stream, followed, refresh_token: &slot.refresh_token }) {
                slot.open = None;
            }
        }
    }
}

impl Open {
    pub(super) fn refresh_token(&self) -> Option<&[u8]> {
        Some(self.refresh_token.as_slice()).filter(|token| !token.is_empty())
    }
}

impl InSlot<'_> {
    pub(super) fn has_refresh_token(&self) -> bool {
        !self.refresh_token.is_empty()
    }

    /// Returns a copy, for a stream that leaves its slot.
    pub(super) fn to_open(&self) -> Open {
        Open {
            stream: self.stream,
            followed: self.followed.clone(),
            refresh_token: self.refresh_token.to_vec(),
        }
    }
}

const fn index(stream: StreamId) -> usize {
    stream as usize % SLOTS
}
