//! Metrics of the limits on guessing.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Metrics;
use crate::domain::guard::{Door, Kind};

pub(super) struct Attempts {
    refused: Family<Bucket, Counter>,
    bans: Family<Ban, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Bucket {
    key: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ban {
    door: &'static str,
}

impl Attempts {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let attempts = Self { refused: Family::default(), bans: Family::default() };
        // A counter that begins with its first refusal would hide it: `increase` needs a value before.
        for kind in Kind::ALL {
            drop(attempts.refused.get_or_create(&Bucket { key: kind.label() }));
        }
        for door in Door::ALL {
            drop(attempts.bans.get_or_create(&Ban { door: door.as_str() }));
        }
        registry.register(
            "attempts_refused",
            "Attempts to sign in or register that a limit refused, by the kind of its key",
            attempts.refused.clone(),
        );
        registry.register("bans", "Bans that this companion has set, by door", attempts.bans.clone());
        attempts
    }
}

impl Metrics {
    /// Counts an attempt that a limit refused, by the kind of its key.
    pub fn count_refused_attempt(&self, key: &'static str) {
        self.attempts.refused.get_or_create(&Bucket { key }).inc();
    }

    /// Counts a ban, by its door.
    pub fn count_ban(&self, door: &'static str) {
        self.attempts.bans.get_or_create(&Ban { door }).inc();
    }
}
