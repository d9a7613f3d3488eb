//! Job that sends the mails of the outbox, one at a time. Several companions share them.

use std::time::Duration;

use super::Job;
use crate::mail::Mailer;
use crate::service::Context;
use crate::service::mail::{self, Delivery};

/// Interval between two looks at an outbox that was empty.
const INTERVAL: Duration = Duration::from_secs(1);

/// Mail sending job.
pub struct SendMail {
    /// Context of its use case.
    pub context: Context,
    /// Way to the mail server.
    pub mailer: Mailer,
    /// Outcome of the last step.
    pub last: Delivery,
}

impl Job for SendMail {
    const NAME: &'static str = "send mail";

    fn interval(&self) -> Duration {
        match self.last {
            Delivery::Done => Duration::ZERO,
            Delivery::Idle => INTERVAL,
        }
    }

    async fn step(&mut self) -> anyhow::Result<()> {
        // A failure of the database waits, too.
        self.last = Delivery::Idle;
        self.last = mail::deliver(&self.context, &self.mailer).await?;
        Ok(())
    }
}
