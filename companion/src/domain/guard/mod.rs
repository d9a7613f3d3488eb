//! Limits on guessing: which buckets an attempt is charged to, when a bucket rejects it, and when a network is banned.
//! docs/guide/guessing.md has the reasons.

mod ban;
mod bucket;
mod kind;
mod limit;
mod rejection;
mod subject;

pub use ban::Ban;
pub use bucket::{Bucket, BucketKey, Buckets, Limits};
pub use kind::Kind;
pub use limit::Limit;
pub use rejection::{AttemptRejection, BucketState};
pub use subject::Authenticator;

/// Maximum number of consecutive failures of an authenticator (NIST SP 800-63B-4 §3.2.2), by all unknown
/// devices together and by each known one.
pub const MAX_FAILURES: i32 = 100;
