//! Randomness, an argument of everything that needs it.

use std::sync::Arc;

use aws_lc_rs::rand::SecureRandom;

/// Source of randomness.
pub type Random = Arc<dyn SecureRandom + Send + Sync>;
