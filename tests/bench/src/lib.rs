//! Cost of Edgeward: measurements of the real parts beside their alternatives. Only `targets` has targets; nothing here is a
//! test.

mod bans;
mod bare;
mod configuration;
mod connection;
mod edge;
mod feed;
mod filters;
mod flood;
mod load;
mod machine;
mod measure;
mod memory;
mod page;
mod refresh;
mod report;
mod request;
mod sample;
mod scale;
mod scenario;
mod scene;
mod servers;
mod spread;
mod startup;
mod streams;
mod targets;
mod tokens;

pub use bans::bans;
pub use edge::{edge, two_builds};
pub use flood::flood;
pub use refresh::refresh;
pub use scale::scale;
pub use streams::streams;

use std::time::{SystemTime, UNIX_EPOCH};

/// Extent of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Number of starts of Envoy. Its memory layout differs from start to start, and with it the cost of a filter by up to
    /// a tenth.
    pub starts: usize,
    /// Number of measurements of each scenario at each start.
    pub rounds: usize,
    /// Number of requests of a round, unless a scenario sets another.
    pub requests: usize,
    /// Number of distinct tokens that stands for "many".
    pub tokens: usize,
    /// Number of starts of Envoy whose times are measured.
    pub repeats: usize,
    /// Number of revocations that stands for "many".
    pub revocations: usize,
    /// Time for which refreshes are counted, in seconds.
    pub seconds: u64,
    /// Number of logouts for each kind of stream.
    pub logouts: usize,
    /// `true` if the figures are exact enough to be published.
    pub published: bool,
}

impl Effort {
    /// About half an hour. The rounds are many and short: a disturbance of the machine lasts longer than one of them.
    pub const FULL: Self = Self {
        starts: 5,
        rounds: 19,
        requests: 400,
        tokens: 100_000,
        repeats: 15,
        revocations: 1_000_000,
        seconds: 20,
        logouts: 100,
        published: true,
    };
    /// About two minutes. It shows that everything works.
    pub const QUICK: Self = Self {
        starts: 1,
        rounds: 3,
        requests: 1000,
        tokens: 10_000,
        repeats: 3,
        revocations: 20_000,
        seconds: 2,
        logouts: 5,
        published: false,
    };
}

#[expect(clippy::disallowed_methods, reason = "Envoy validates tokens by the wall clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
