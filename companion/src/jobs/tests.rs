//! The runner with jobs that work, fail, panic and hang.

use std::sync::{Arc, Mutex};

use anyhow::bail;

use super::*;

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

async fn steps_within_3500_ms(outcome: Outcome) -> usize {
    let steps = Arc::new(Mutex::new(0));
    let mut runner = Runner::default();
    runner.start(Counting { steps: Arc::clone(&steps), outcome });
    sleep(Duration::from_millis(3500)).await;
    runner.stop().await;
    *steps.lock().unwrap()
}

#[tokio::test(start_paused = true)]
async fn job_continues_after_a_step_that_failed_or_panicked() {
    for outcome in [Outcome::Success, Outcome::Failure, Outcome::Panic] {
        assert_eq!(steps_within_3500_ms(outcome).await, 3, "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn job_that_hangs_does_not_block_the_end_of_the_service() {
    assert_eq!(steps_within_3500_ms(Outcome::Hang).await, 1);
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
    let mut runner = Runner::default();
    for name in ["first", "second", "third"] {
        runner.start(Ending(name, Arc::clone(&ended)));
    }
    runner.stop().await;
    assert_eq!(*ended.lock().unwrap(), ["third", "second", "first"]);
}
