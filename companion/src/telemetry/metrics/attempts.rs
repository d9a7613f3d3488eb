//! Metrics of the limits on guessing.

use edgeward_wire::BanScope;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Metrics;
use crate::domain::guard::Kind;

pub(super) struct Attempts {
    rejected: Family<Bucket, Counter>,
    bans: Family<Ban, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Bucket {
    key: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ban {
    scope: &'static str,
}

impl Attempts {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let attempts = Self { rejected: Family::default(), bans: Family::default() };
        // A counter that begins with its first rejection would hide it: `increase` needs a value before.
        for kind in Kind::ALL {
            drop(attempts.rejected.get_or_create(&Bucket { key: kind.label() }));
        }
        for scope in BanScope::ALL {
            drop(attempts.bans.get_or_create(&Ban { scope: scope.as_str() }));
        }
        registry.register(
            "attempts_rejected",
            "Attempts to sign in or register that a limit rejected, by the kind of its key",
            attempts.rejected.clone(),
        );
        registry.register("bans", "Bans that this companion has set, by scope", attempts.bans.clone());
        attempts
    }
}

impl Metrics {
    /// Counts an attempt that a limit rejected, by the kind of its key.
    pub fn count_rejected_attempt(&self, key: &'static str) {
        self.attempts.rejected.get_or_create(&Bucket { key }).inc();
    }

    /// Counts a ban, by its scope.
    pub fn count_ban(&self, scope: &'static str) {
        self.attempts.bans.get_or_create(&Ban { scope }).inc();
    }
}
