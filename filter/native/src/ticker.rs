//! Timer of a configuration: Envoy has none for modules of HTTP filters, so that a thread of ours sends an event to its main
//! thread at each tick.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Builder;

use edgeward_filter::filter::TICK;

use crate::abi::HostScheduler;

/// Event of a tick.
pub(crate) const TICKED: u64 = 1;

/// Timer, which ends with this value. It is not waited for: the last reference to a configuration may be the one that Envoy
/// takes while the timer sends its event, so that a configuration can end on the timer's own thread.
pub(crate) struct Ticker {
    /// `true` while a tick is on its way. A main thread that is busy gets one tick, and not all that it has missed.
    is_sent: Arc<AtomicBool>,
    _stop: Sender<()>,
}

impl Ticker {
    /// Starts to tick.
    ///
    /// # Errors
    /// That of the system if it has no thread for it.
    pub(crate) fn start(scheduler: HostScheduler) -> io::Result<Self> {
        let ((stop, stopped), is_sent) = (channel(), Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&is_sent);
        Builder::new().name("edgeward".to_owned()).spawn(move || tick(&scheduler, &flag, &stopped))?;
        Ok(Self { is_sent, _stop: stop })
    }

    /// Lets the next tick be sent.
    pub(crate) fn taken(&self) {
        self.is_sent.store(false, Ordering::Relaxed);
    }
}

fn tick(scheduler: &HostScheduler, is_sent: &AtomicBool, stopped: &Receiver<()>) {
    while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        if !is_sent.swap(true, Ordering::Relaxed) {
            scheduler.commit(TICKED);
        }
    }
}
