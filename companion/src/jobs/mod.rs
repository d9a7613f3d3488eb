//! Background jobs under one runner: each does its step again and again until the runner stops them, the last started
//! first. A step that fails or panics is logged, and the job goes on with its next one.

pub mod clean;
pub mod follow_keys;
pub mod report_audit;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Maximum time that a job may take to end its step once it is stopped. Chosen: longer than a statement may take.
const STOP_LIMIT: Duration = Duration::from_secs(6);

/// Work that is done again and again.
pub trait Job: Send + 'static {
    /// Name of the job in the log.
    const NAME: &'static str;

    /// Time to rest before the next step.
    fn interval(&self) -> Duration;

    /// Does the work once.
    ///
    /// # Errors
    /// Any failure. The runner logs the first of several in a row.
    fn step(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// Runs jobs until it is stopped.
#[derive(Default)]
pub struct Runner {
    running: Vec<Running>,
}

struct Running {
    name: &'static str,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Runner {
    /// Starts a job.
    pub fn start<J: Job>(&mut self, job: J) {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(job, stopped));
        self.running.push(Running { name: J::NAME, stop, task });
    }

    /// Stops every job, the last started first, and waits for the end of its step.
    pub async fn stop(self) {
        for Running { name, stop, task } in self.running.into_iter().rev() {
            stop.send_replace(true);
            match timeout(STOP_LIMIT, task).await {
                Ok(Ok(())) => {}
                Ok(Err(cause)) => tracing::error!(job = name, %cause, "the job has ended early"),
                Err(_) => tracing::warn!(job = name, "the job was cut off"),
            }
        }
    }
}

async fn run<J: Job>(mut job: J, mut stop: watch::Receiver<bool>) {
    let mut failed = false;
    loop {
        tokio::select! {
            () = sleep(job.interval()) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        match AssertUnwindSafe(job.step()).catch_unwind().await {
            Ok(Ok(())) => failed = false,
            // Once: not again before it has worked.
            Ok(Err(cause)) => {
                if !failed {
                    tracing::warn!(
                        job = J::NAME,
                        cause = format!("{cause:#}"),
                        "a background job has failed"
                    );
                }
                failed = true;
            }
            Err(panic) => {
                tracing::error!(job = J::NAME, cause = words(&*panic), "a background job has panicked")
            }
        }
    }
}

/// The words of a panic.
fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests;
