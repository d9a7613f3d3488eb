//! What the runner does with jobs that work, fail, panic and hang.

use std::sync::{Arc, Mutex};

use anyhow::bail;

use super::*;

/// A job that notes its steps, and does in each what its name says.
struct Noting {
    noted: Arc<Mutex<Vec<&'static str>>>,
    does: &'static str,
}

impl Job for Noting {
    const NAME: &'static str = "noting";

    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn step(&mut self) -> anyhow::Result<()> {
        self.noted.lock().unwrap().push(self.does);
        match self.does {
            "fails" => bail!("no"),
            "panics" => panic!("no"),
            "hangs" => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

async fn steps_of(does: &'static str) -> usize {
    let noted = Arc::new(Mutex::new(Vec::new()));
    let mut runner = Runner::default();
    runner.start(Noting { noted: Arc::clone(&noted), does });
    sleep(Duration::from_millis(3500)).await;
    runner.stop().await;
    noted.lock().unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_on_after_a_step_that_failed_or_panicked() {
    for does in ["works", "fails", "panics"] {
        assert_eq!(steps_of(does).await, 3, "{does}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_hangs_does_not_keep_the_service_from_ending() {
    assert_eq!(steps_of("hangs").await, 1);
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
