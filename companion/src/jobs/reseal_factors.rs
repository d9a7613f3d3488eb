//! Job that seals the secrets of authenticator apps by the newest key, a minute after the start and once a day. So a former key
//! can be removed a day after its successor came.

use std::sync::Arc;
use std::time::Duration;

use super::Job;
use crate::service::Context;
use crate::service::factor::{self, Factors};

/// Time before the first step. Chosen: the start has other work.
const FIRST: Duration = Duration::from_mins(1);
/// Time between two steps. Each reads all secrets.
const INTERVAL: Duration = Duration::from_hours(24);

/// Job that reseals secrets.
pub struct ResealFactors {
    /// Context of its use case.
    pub context: Context,
    /// Keys.
    pub factors: Arc<Factors>,
    /// `true` after the first step.
    pub has_run: bool,
}

impl Job for ResealFactors {
    const NAME: &'static str = "reseal factors";

    fn interval(&self) -> Duration {
        if self.has_run { INTERVAL } else { FIRST }
    }

    async fn step(&mut self) -> anyhow::Result<()> {
        let resealed = factor::reseal(&self.context, self.factors.keys()).await?;
        if resealed > 0 {
            tracing::info!(resealed, "sealed the secrets of authenticator apps by the newest key");
        }
        self.has_run = true;
        Ok(())
    }
}
