//! Background jobs under one runner. Each job repeats its step until the runner stops it; the last started is stopped
//! first. A step that fails or panics is logged, and the job continues with its next step. Of several such steps in a
//! row, the first is logged.

pub mod clean;
pub mod delete_old_entries;
pub mod follow_keys;
pub mod report_audit;
pub mod reseal_factors;
pub mod send_mail;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::clock::Clock;
use crate::telemetry::metrics::Metrics;

/// Maximum time that the jobs may take together to end their steps after the stop. Chosen: longer than the time limit
/// of a statement.
const STOP_TIMEOUT: Duration = Duration::from_secs(6);

/// Maximum time of a step: a database that is silent never ends it. Chosen: far longer than a step takes, even one that
/// has a backlog.
const STEP_TIMEOUT: Duration = Duration::from_mins(5);

/// Work that is repeated.
pub trait Job: Send + 'static {
    /// Name of the job in the log and the metrics.
    const NAME: &'static str;

    /// Time before the next step.
    fn interval(&self) -> Duration;

    /// Does one step of the work.
    ///
    /// # Errors
    /// Any failure. Of several in a row, the runner logs the first.
    fn step(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// Runner of jobs.
pub struct Runner {
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    running: Vec<Running>,
}

struct Running {
    name: &'static str,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Runner {
    /// Makes a runner without jobs, which counts their failures and has the times of their successes in `metrics`.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, clock: Arc<dyn Clock>) -> Self {
        Self { metrics, clock, running: Vec::new() }
    }

    /// Starts a job.
    pub fn start<J: Job>(&mut self, job: J) {
        let (stop, stopped) = watch::channel(false);
        let (metrics, clock) = (Arc::clone(&self.metrics), Arc::clone(&self.clock));
        metrics.job_started(J::NAME, clock.now());
        let task = tokio::spawn(run(job, stopped, metrics, clock));
        self.running.push(Running { name: J::NAME, stop, task });
    }

    /// Stops every job, the last started first, and waits at most 6 s in all for the ends of their steps.
    pub async fn stop(self) {
        let deadline = Instant::now() + STOP_TIMEOUT;
        for Running { name, stop, task } in self.running.into_iter().rev() {
            stop.send_replace(true);
            match timeout_at(deadline, task).await {
                Ok(Ok(())) => {}
                Ok(Err(cause)) => tracing::error!(job = name, %cause, "a background job ended early"),
                Err(_) => tracing::warn!(job = name, "a background job was cut off"),
            }
        }
    }
}

async fn run<J: Job>(
    mut job: J,
    mut stop: watch::Receiver<bool>,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
) {
    let mut failed = false;
    loop {
        tokio::select! {
            () = sleep(job.interval()) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let limited = timeout(STEP_TIMEOUT, job.step())
            .map(|done| done.unwrap_or_else(|_| Err(anyhow!("the step has not ended within 5 minutes"))));
        match AssertUnwindSafe(limited).catch_unwind().await {
            Ok(Ok(())) => {
                metrics.job_succeeded(J::NAME, clock.now());
                failed = false;
                continue;
            }
            // Logged once, and again only after a step without a failure.
            Ok(Err(cause)) => {
                if !failed {
                    tracing::warn!(
                        job = J::NAME,
                        cause = format!("{cause:#}"),
                        "a background job has failed"
                    );
                }
            }
            Err(panic) => {
                if !failed {
                    tracing::error!(
                        job = J::NAME,
                        cause = panic_message(&*panic),
                        "a background job has panicked"
                    );
                }
            }
        }
        metrics.job_failed(J::NAME);
        failed = true;
    }
}

/// Returns the message of a panic.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests;
