//! Calls to clusters that are under way for a configuration. Envoy's main thread alone sends them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use edgeward_filter::call::HttpCall;
use edgeward_filter::filter::CallId;

use crate::abi::Host;
use crate::lock::lock;

/// Calls of a configuration.
pub(crate) struct Calls {
    /// Number of the configuration in this process.
    configuration: u64,
    host: Host,
    /// Purposes, by the numbers that Envoy gave the calls.
    under_way: Mutex<BTreeMap<u64, Purpose>>,
}

/// Purpose of a call.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// Poll of the edge feed.
    Poll,
    /// Call for requests of the worker with this number.
    Worker(usize, CallId),
}

/// Number of a call in this process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallNumber {
    configuration: u64,
    call: u64,
}

impl Calls {
    pub(crate) fn new(host: Host) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self { configuration: LAST.fetch_add(1, Ordering::Relaxed), host, under_way: Mutex::default() }
    }

    /// Sends a call; none if Envoy does not accept it.
    pub(crate) fn send(&self, call: &HttpCall, purpose: Purpose) -> Option<CallNumber> {
        let call = self.host.send(call)?;
        lock(&self.under_way).insert(call, purpose);
        Some(self.number(call))
    }

    /// Takes a call that has its outcome; none if it is unknown.
    pub(crate) fn finish(&self, call: u64) -> Option<(CallNumber, Purpose)> {
        let purpose = lock(&self.under_way).remove(&call)?;
        Some((self.number(call), purpose))
    }

    /// `true` if a call is one of these.
    pub(crate) fn sent(&self, call: CallNumber) -> bool {
        call.configuration == self.configuration
    }

    const fn number(&self, call: u64) -> CallNumber {
        CallNumber { configuration: self.configuration, call }
    }
}
