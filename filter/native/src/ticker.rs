//! Timer of a configuration: Envoy has none for modules of HTTP filters, so that a thread of ours sends an event to its main
//! thread at each tick.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Builder;

use edgeward_filter::filter::TICK;

use crate::abi::HostScheduler;

/// Event of a tick.
pub(crate) const TICKED: u64 = 1;

/// Timer, which ends with this value. It is not waited for: the last reference to a configuration may be the one that Envoy
/// takes while the timer sends its event, so that a configuration can end on the timer's own thread.
pub(crate) struct Ticker(#[expect(dead_code, reason = "the timer ends when it is dropped")] Sender<()>);

impl Ticker {
    /// Starts to tick.
    ///
    /// # Errors
    /// That of the system if it has no thread for it.
    pub(crate) fn start(scheduler: HostScheduler) -> io::Result<Self> {
        let (stop, stopped) = channel();
        Builder::new().name("edgeward".to_owned()).spawn(move || tick(&scheduler, &stopped))?;
        Ok(Self(stop))
    }
}

fn tick(scheduler: &HostScheduler, stopped: &Receiver<()>) {
    while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        scheduler.commit(TICKED);
    }
}
