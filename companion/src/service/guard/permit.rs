//! The permit of an admitted attempt, and what becomes of its charge.

use sqlx::PgConnection;

use crate::db::attempts;
use crate::domain::guard::{Bucket, BucketKey, Kind};
use crate::service::{Context, Error};

/// Permit to check a secret once. It is dropped if the secret is wrong: the charge stays.
#[must_use]
pub struct Permit {
    buckets: Vec<Bucket>,
    strangers: Option<BucketKey>,
}

impl Permit {
    pub(super) fn new(buckets: Vec<Bucket>, strangers: Option<BucketKey>) -> Self {
        Self { buckets, strangers }
    }

    /// Records that the secret was right, in the transaction of the change that follows from it. That clears the bucket of
    /// the account, or that of the device and the strangers' failures (NIST SP 800-63B-4 §3.2.2), and never one of an
    /// address: an account of one's own would be the way to guess at others'.
    ///
    /// # Errors
    /// [`sqlx::Error`] if a statement fails.
    pub async fn record_success(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        for bucket in self.buckets.iter().filter(|bucket| bucket.kind.counts_failures()) {
            attempts::clear(connection, &bucket.key).await?;
            if let (Kind::Device, Some(strangers)) = (bucket.kind, &self.strangers) {
                attempts::forget_failures(connection, strangers).await?;
            }
        }
        Ok(())
    }

    /// Takes the charge back, if the secret was not checked: a flood that fills the queue for hashing must not cost others
    /// their attempts.
    pub async fn refund(self, context: &Context) {
        let refund = async { attempts::refund(&mut *context.connection().await?, &self.buckets).await };
        if let Err(cause) = refund.await {
            tracing::warn!(cause = %Error::from(cause), "an attempt that was not checked stays charged");
        }
    }
}
