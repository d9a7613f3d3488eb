//! Fault to inject, and the messages seen.

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::watch;

/// Sender of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Companion.
    Client,
    /// Postgres.
    Server,
}

/// Message of the protocol, version 3.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Sender.
    pub from: Side,
    /// Type of the message: its first byte.
    pub tag: u8,
}

/// Kind of fault. No message is duplicated: TCP delivers each byte once, so that only a peer that breaks the protocol
/// sends a second copy. The tests repeat whole calls, as clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The message is dropped, and the connection is closed.
    Cut,
    /// The message is forwarded, and the connection is closed after it.
    CutAfter,
    /// The message is forwarded when it is released.
    Hold,
    /// Nothing is forwarded any more, and the connection stays open: the other side's host is gone.
    Blackhole,
}

/// Fault at one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Number of messages before it.
    pub after: usize,
    /// Kind.
    pub kind: FaultKind,
}

pub(super) struct Plan {
    state: Mutex<State>,
    /// `true` once the fault is injected.
    injected: watch::Sender<bool>,
    /// Number of the last arming whose held messages are released.
    released: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// Number of armings.
    arming: u64,
    fault: Option<Fault>,
    seen: Vec<Message>,
}

impl Default for Plan {
    fn default() -> Self {
        let (injected, released) = (watch::Sender::new(false), watch::Sender::new(0));
        Self { state: Mutex::default(), injected, released }
    }
}

impl Plan {
    pub(super) fn arm(&self, fault: Option<Fault>) {
        self.release();
        self.injected.send_replace(false);
        let mut state = self.state();
        *state = State { arming: state.arming + 1, fault, seen: Vec::new() };
    }

    pub(super) fn seen(&self) -> Vec<Message> {
        self.state().seen.clone()
    }

    /// Records a message, and returns the fault to inject at it.
    pub(super) fn record(&self, message: Message) -> Option<FaultKind> {
        let mut state = self.state();
        let before = state.seen.len();
        let here = state.fault.take_if(|fault| fault.after == before);
        state.seen.push(message);
        if here.is_some() {
            self.injected.send_replace(true);
        }
        here.map(|fault| fault.kind)
    }

    pub(super) async fn wait_for_fault(&self) {
        self.injected.subscribe().wait_for(|injected| *injected).await.expect("a running proxy");
    }

    pub(super) fn release(&self) {
        self.released.send_replace(self.state().arming);
    }

    /// Waits until the messages that are held now are released.
    pub(super) async fn released(&self) {
        let arming = self.state().arming;
        self.released.subscribe().wait_for(|released| *released >= arming).await.expect("a running proxy");
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
