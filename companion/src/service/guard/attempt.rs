//! An attempt to pass a check, and the buckets that it is charged to.

use crate::domain::account::email::Email;
use crate::domain::guard::{Bucket, BucketKey, Kind};

/// Attempt to pass a check.
pub struct Attempt<'a> {
    pub(super) buckets: Vec<Bucket>,
    pub(super) email: Option<&'a Email>,
    /// Bucket of the account for unknown devices.
    pub(super) unknown_devices: Option<BucketKey>,
}

impl Attempt<'_> {
    /// Makes an attempt that says nothing about an account.
    pub(super) fn without_account(buckets: Vec<Bucket>) -> Self {
        Self { buckets, email: None, unknown_devices: None }
    }

    /// Spares the bucket of the account, for a recovery code: nobody guesses 120 bits, and whoever knows the password could
    /// keep the owner out by wrong codes otherwise.
    #[must_use]
    pub fn spare_account(mut self) -> Self {
        self.buckets.retain(|bucket| bucket.kind != Kind::Account);
        self
    }
}
