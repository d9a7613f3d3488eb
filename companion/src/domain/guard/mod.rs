//! Limits on guessing: which buckets an attempt is charged to, when a bucket refuses, and when a network is banned.
//! docs/guide/guessing.md has the reasons.

mod ban;
mod bucket;
mod limit;
mod refusal;

pub use ban::{Ban, Door};
pub use bucket::{Bucket, BucketKey, Buckets, Kind, Limits};
pub use limit::Limit;
pub use refusal::{BucketState, Refusal};

/// Maximum number of consecutive failures of an authenticator (NIST SP 800-63B-4 §3.2.2), by strangers and by each known
/// device.
pub const MAX_FAILURES: i32 = 100;
