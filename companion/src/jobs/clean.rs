//! Job that deletes expired sessions and revocations, and counts the live ones, about once a minute.

use std::time::Duration;

use super::Job;
use crate::random::Random;
use crate::service::{Context, maintenance};

/// Mean interval between two steps.
const INTERVAL: Duration = Duration::from_mins(1);

/// Cleaning job.
pub struct Clean {
    /// Context of its use case.
    pub context: Context,
    /// Source of the jitter.
    pub random: Random,
}

impl Job for Clean {
    const NAME: &'static str = "delete what has expired";

    /// Half a minute to one and a half, so that several companions clean at different times.
    fn interval(&self) -> Duration {
        let mut byte = [0];
        // Without randomness, all clean at the same time, which is harmless.
        _ = self.random.fill(&mut byte);
        let [byte] = byte;
        INTERVAL / 2 + INTERVAL * u32::from(byte) / 255
    }

    async fn step(&mut self) -> anyhow::Result<()> {
        let live = maintenance::delete_expired(&self.context).await?;
        self.context.metrics.set_sessions(live.sessions);
        self.context.metrics.set_revocations(live.revocations);
        Ok(())
    }
}
