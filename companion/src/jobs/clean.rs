//! Deletes what has expired, and counts the revocations that have not, about once a minute.

use std::time::Duration;

use super::Job;
use crate::random::Random;
use crate::service::{Context, maintenance};

/// About the time between two cleanings.
const INTERVAL: Duration = Duration::from_mins(1);

/// The job.
pub struct Clean {
    /// What it acts on.
    pub context: Context,
    /// Source of the jitter.
    pub random: Random,
}

impl Job for Clean {
    const NAME: &'static str = "delete what has expired";

    /// Half a minute to one and a half: several companions clean at different times.
    fn interval(&self) -> Duration {
        let mut byte = [0];
        // Without randomness, all clean at the same time.
        _ = self.random.fill(&mut byte);
        let [byte] = byte;
        INTERVAL / 2 + INTERVAL * u32::from(byte) / 255
    }

    async fn step(&mut self) -> anyhow::Result<()> {
        let live = maintenance::delete_expired(&self.context).await?;
        self.context.metrics.set_revocations(live);
        Ok(())
    }
}
