//! The runner with jobs that work, fail, panic and hang.

use std::sync::{Arc, Mutex};

use anyhow::bail;
use time::OffsetDateTime;

use super::*;
use crate::clock::SystemClock;
use crate::telemetry::metrics::Gauges;

fn runner() -> Runner {
    Runner::new(Arc::new(Metrics::new()), Arc::new(SystemClock))
}

/// Outcome of each step.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Success,
    Failure,
    Panic,
    Hang,
}

/// Job that counts its steps.
struct Counting {
    steps: Arc<Mutex<usize>>,
    outcome: Outcome,
}

impl Job for Counting {
    const NAME: &'static str = "counting";

    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn step(&mut self) -> anyhow::Result<()> {
        *self.steps.lock().unwrap() += 1;
        match self.outcome {
            Outcome::Success => Ok(()),
            Outcome::Failure => bail!("no"),
            Outcome::Panic => panic!("no"),
            Outcome::Hang => std::future::pending().await,
        }
    }
}

async fn steps_within(time: Duration, outcome: Outcome) -> usize {
    let steps = Arc::new(Mutex::new(0));
    let mut runner = runner();
    runner.start(Counting { steps: Arc::clone(&steps), outcome });
    sleep(time).await;
    runner.stop().await;
    *steps.lock().unwrap()
}

#[tokio::test(start_paused = true)]
async fn job_continues_after_a_step_that_failed_or_panicked() {
    for outcome in [Outcome::Success, Outcome::Failure, Outcome::Panic] {
        assert_eq!(steps_within(Duration::from_millis(3500), outcome).await, 3, "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_have_the_failures_of_a_job_from_its_start() {
    for (outcome, failures) in
        [(Outcome::Success, 0), (Outcome::Failure, 3), (Outcome::Panic, 3), (Outcome::Hang, 0)]
    {
        let mut runner = runner();
        let metrics = Arc::clone(&runner.metrics);
        runner.start(Counting { steps: Arc::default(), outcome });
        sleep(Duration::from_millis(3500)).await;
        runner.stop().await;
        let text = metrics.write(Gauges::default()).unwrap();
        let line = format!("edgeward_job_failures_total{{name=\"counting\"}} {failures}\n");
        assert!(text.contains(&line), "{outcome:?}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_have_the_time_of_a_success_but_not_of_a_failure() {
    for (outcome, at) in [(Outcome::Success, 3), (Outcome::Failure, 0), (Outcome::Panic, 0)] {
        let clock = Arc::new(Virtual(Instant::now()));
        let metrics = Arc::new(Metrics::new());
        let mut runner = Runner::new(Arc::clone(&metrics), clock);
        runner.start(Counting { steps: Arc::default(), outcome });
        sleep(Duration::from_millis(3500)).await;
        runner.stop().await;
        let text = metrics.write(Gauges::default()).unwrap();
        let line = format!("edgeward_job_last_success_timestamp_seconds{{name=\"counting\"}} {at}\n");
        assert!(text.contains(&line), "{outcome:?}: {text}");
    }
}

/// Clock that follows tokio's, from 1970 on.
struct Virtual(Instant);

impl Clock for Virtual {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + self.0.elapsed()
    }
}

#[tokio::test(start_paused = true)]
async fn job_that_hangs_does_not_block_the_end_of_the_service() {
    assert_eq!(steps_within(Duration::from_millis(3500), Outcome::Hang).await, 1);
}

#[tokio::test(start_paused = true)]
async fn step_that_never_ends_is_a_failure_after_five_minutes() {
    assert_eq!(steps_within(Duration::from_secs(303), Outcome::Hang).await, 2);
}

#[tokio::test(start_paused = true)]
async fn jobs_end_in_the_reverse_order_of_their_start() {
    struct Ending(&'static str, Arc<Mutex<Vec<&'static str>>>);
    impl Drop for Ending {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0);
        }
    }
    impl Job for Ending {
        const NAME: &'static str = "ending";
        fn interval(&self) -> Duration {
            Duration::from_secs(1)
        }
        async fn step(&mut self) -> anyhow::Result<()> {
            Ok(())
        }
    }
    let ended = Arc::new(Mutex::new(Vec::new()));
    let mut runner = runner();
    for name in ["first", "second", "third"] {
        runner.start(Ending(name, Arc::clone(&ended)));
    }
    runner.stop().await;
    assert_eq!(*ended.lock().unwrap(), ["third", "second", "first"]);
}
