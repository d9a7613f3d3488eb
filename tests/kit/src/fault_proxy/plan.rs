//! Which message is to come to harm, and which ones came.

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::watch;

/// Sender of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The companion.
    Client,
    /// Postgres.
    Server,
}

/// A message of the protocol, version 3, by its first byte.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Sender.
    pub from: Side,
    /// Which one it is.
    pub tag: u8,
}

/// Harm to a message. It is never doubled: TCP delivers each byte once, so a second copy can come from nobody
/// but a peer that breaks the protocol. What a client does twice, the tests repeat as calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// It is lost, and the connection with it.
    Cut,
    /// It goes on, and the connection is lost after it.
    CutBehind,
    /// It goes on when it is released.
    Hold,
    /// Nothing is forwarded from here on, without a sign of it: the other side's host is gone.
    Silence,
}

/// Harm to one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Number of messages before it.
    pub after: usize,
    /// Harm that is done to it.
    pub harm: Harm,
}

pub(super) struct Plan {
    state: Mutex<State>,
    harmed: watch::Sender<bool>,
    /// Up to which arming all that was held has been let go.
    released: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// Counts the times that it was armed.
    arming: u64,
    fault: Option<Fault>,
    seen: Vec<Message>,
}

impl Default for Plan {
    fn default() -> Self {
        let (harmed, released) = (watch::Sender::new(false), watch::Sender::new(0));
        Self { state: Mutex::default(), harmed, released }
    }
}

impl Plan {
    pub(super) fn arm(&self, fault: Option<Fault>) {
        self.release();
        self.harmed.send_replace(false);
        let mut state = self.state();
        *state = State { arming: state.arming + 1, fault, seen: Vec::new() };
    }

    pub(super) fn seen(&self) -> Vec<Message> {
        self.state().seen.clone()
    }

    /// Notes a message, and says what is to be done to it.
    pub(super) fn judge(&self, message: Message) -> Option<Harm> {
        let mut state = self.state();
        let before = state.seen.len();
        let here = state.fault.take_if(|fault| fault.after == before);
        state.seen.push(message);
        if here.is_some() {
            self.harmed.send_replace(true);
        }
        here.map(|fault| fault.harm)
    }

    pub(super) async fn harmed(&self) {
        self.harmed.subscribe().wait_for(|happened| *happened).await.expect("a plan that lives");
    }

    pub(super) fn release(&self) {
        self.released.send_replace(self.state().arming);
    }

    /// Waits until what is held now is let go.
    pub(super) async fn released(&self) {
        let arming = self.state().arming;
        self.released.subscribe().wait_for(|released| *released >= arming).await.expect("a plan that lives");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a plan")
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = match self.from {
            Side::Client => "→",
            Side::Server => "←",
        };
        write!(f, "{arrow}{}", char::from(self.tag))
    }
}
