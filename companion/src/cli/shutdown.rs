//! Shutdown of the service by signals, in two steps: it drains, then it stops.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Both steps of a shutdown.
#[derive(Clone)]
pub(super) struct Shutdown {
    drain: watch::Receiver<bool>,
    stop: watch::Receiver<bool>,
}

impl Shutdown {
    /// Starts to listen for signals. SIGTERM and SIGINT begin to drain; the stop follows.
    ///
    /// SIGTERM comes from an orchestrator that polls `/readyz` and balances load. It needs `drain_delay` to notice, and
    /// the service accepts connections meanwhile. SIGINT comes from a person, and a second signal from an impatient
    /// one: both stop at once.
    ///
    /// # Errors
    /// [`io::Error`] if the system does not register the signals.
    pub(super) fn on_signal(drain_delay: Duration) -> io::Result<Self> {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let ((start_drain, drain), (start_stop, stop)) = (watch::channel(false), watch::channel(false));
        tokio::spawn(async move {
            let delay = tokio::select! {
                _ = terminate.recv() => drain_delay,
                _ = interrupt.recv() => Duration::ZERO,
            };
            tracing::info!("stopping");
            start_drain.send_replace(true);
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            start_stop.send_replace(true);
            // The senders live as long as the process, so that no wait ends early.
            start_stop.closed().await;
        });
        Ok(Self { drain, stop })
    }

    /// Waits for the first signal.
    pub(super) async fn draining(mut self) {
        _ = self.drain.wait_for(|drain| *drain).await;
    }

    /// Waits for the end of the drain delay.
    pub(super) async fn stopping(mut self) {
        _ = self.stop.wait_for(|stop| *stop).await;
    }

    /// Returns a receiver that becomes `true` when the service has to stop.
    pub(super) fn stop(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }
}
