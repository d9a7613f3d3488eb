//! The permit of an admitted attempt, and what becomes of its charge.

use crate::db::attempts;
use crate::db::connection::Connection;
use crate::domain::guard::{Bucket, BucketKey, Kind};
use crate::service::{Context, Error};

/// Permit to check a secret once. It is dropped if the secret is wrong: the charge stays.
#[must_use]
pub struct Permit {
    buckets: Vec<Bucket>,
    /// Bucket of the account for unknown devices.
    unknown_devices: Option<BucketKey>,
}

impl Permit {
    pub(super) fn new(buckets: Vec<Bucket>, unknown_devices: Option<BucketKey>) -> Self {
        Self { buckets, unknown_devices }
    }

    /// Records that the secret was right, in the transaction of the change that follows from it.
    ///
    /// That fills the bucket of the account, or that of the device, and forgets their failures and those of the unknown devices
    /// (NIST SP 800-63B-4 §3.2.2). The bucket of all logins of a device stays, since each costs a hash. No bucket of an address
    /// is ever cleared: an account of one's own would be the way to guess at others'.
    ///
    /// # Errors
    /// [`sqlx::Error`] if a statement fails.
    pub async fn record_success(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        for bucket in &self.buckets {
            match bucket.kind {
                Kind::Account => attempts::clear(connection, &bucket.key).await?,
                Kind::Device => {
                    attempts::clear(connection, &bucket.key).await?;
                    if let Some(key) = &self.unknown_devices {
                        attempts::forget_failures(connection, key).await?;
                    }
                }
                Kind::DeviceLogins | Kind::Address | Kind::Network | Kind::Recipient => {}
            }
        }
        Ok(())
    }

    /// Returns the result of the use case. If the service has failed, the charge is taken back: neither a flood that fills
    /// the queue for hashing nor a database that is away must cost people their attempts.
    pub(in crate::service) async fn settle<T>(
        self,
        context: &Context,
        result: Result<T, Error>,
    ) -> Result<T, Error> {
        if !result.as_ref().is_err_and(Error::is_failure) {
            return result;
        }
        let refund = async { attempts::refund(&mut *context.connection().await?, &self.buckets).await };
        if let Err(cause) = refund.await {
            tracing::warn!(cause = %Error::from(cause), "an attempt that failed for us stays charged");
        }
        result
    }
}
