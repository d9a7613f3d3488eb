//! The key set in use.

use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::token::key_set::KeySet;

/// Current key set, shared by all requests. It is replaced as a whole; a request that holds the former one keeps it.
pub struct CurrentKeys(RwLock<Arc<KeySet>>);

impl CurrentKeys {
    /// Makes `keys` the current set.
    #[must_use]
    pub fn new(keys: KeySet) -> Self {
        Self(RwLock::new(Arc::new(keys)))
    }

    /// Returns the current set.
    #[must_use]
    pub fn current(&self) -> Arc<KeySet> {
        // Poisoning is harmless: the lock is held for a copy of the pointer alone, which cannot panic.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the current set.
    pub fn replace(&self, keys: KeySet) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}
