//! Counts of the responses of a load, and the longest time without an acknowledged write.

use std::fmt::{self, Display, Formatter};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use edgeward_kit::client::Response;

/// Maximum number of wrong responses of a kind that are printed.
const MAX_SHOWN: u64 = 10;

/// Kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Registration,
    Login,
    Refresh,
    /// Request to the upstream with an expired access token, which is held for a refresh at the edge.
    HeldRequest,
    Logout,
    /// Request to the upstream with a live access token and nothing else.
    LiveToken,
}

const KINDS: [Kind; 6] =
    [Kind::Registration, Kind::Login, Kind::Refresh, Kind::HeldRequest, Kind::Logout, Kind::LiveToken];

/// Responses to the requests of a kind.
#[derive(Clone, Copy, Default)]
struct Count {
    right: u64,
    /// Writes that were asked to try again.
    unacknowledged: u64,
    wrong: u64,
}

/// Figures since they were last taken.
pub(crate) struct Since {
    last_write: Instant,
    longest_gap: Duration,
    unacknowledged: u64,
    slowest_read: Duration,
}

struct State {
    counts: [Count; KINDS.len()],
    since: Since,
}

/// Responses of one load.
pub(crate) struct Tally(Mutex<State>);

impl Tally {
    pub(crate) fn start() -> Self {
        Self(Mutex::new(State { counts: Default::default(), since: Since::start() }))
    }

    /// Counts a response. `true` unless the request is to be sent again.
    pub(crate) fn count(
        &self,
        kind: Kind,
        time: Duration,
        response: &reqwest::Result<Response>,
        is_right: bool,
    ) -> bool {
        let mut state = self.state();
        let count = &mut state.counts[kind as usize];
        let asks_again = response.as_ref().is_ok_and(edgeward_kit::journey::load::is_retryable);
        if is_right {
            count.right += 1;
        } else if asks_again && kind != Kind::LiveToken {
            count.unacknowledged += 1;
            state.since.unacknowledged += 1;
            return false;
        } else {
            count.wrong += 1;
            if count.wrong < MAX_SHOWN {
                eprintln!("wrong: {kind:?} after {time:.1?}: {response:?}");
            }
        }
        if kind == Kind::LiveToken {
            state.since.slowest_read = state.since.slowest_read.max(time);
        } else if is_right {
            state.since.note();
        }
        true
    }

    /// Notes a write that was acknowledged without HTTP.
    pub(crate) fn note_write(&self) {
        self.state().since.note();
    }

    /// `true` if a write was acknowledged after this time.
    pub(crate) fn has_written_since(&self, start: Instant) -> bool {
        self.state().since.last_write > start
    }

    /// Returns the figures since the last call.
    pub(crate) fn take(&self) -> Since {
        let mut state = self.state();
        let last_write = state.since.last_write;
        std::mem::replace(&mut state.since, Since { last_write, ..Since::start() })
    }

    /// Fails if a response was wrong.
    pub(crate) fn require_right(&self) {
        let wrong: u64 = self.state().counts.iter().map(|count| count.wrong).sum();
        assert_eq!(
            wrong, 0,
            "wrong responses
{self}"
        );
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("counts")
    }
}

impl Since {
    fn start() -> Self {
        Self {
            last_write: Instant::now(),
            longest_gap: Duration::ZERO,
            unacknowledged: 0,
            slowest_read: Duration::ZERO,
        }
    }

    fn note(&mut self) {
        self.longest_gap = self.longest_gap.max(self.last_write.elapsed());
        self.last_write = Instant::now();
    }

    /// Renders the longest time without an acknowledged write.
    pub(crate) fn gap(&self) -> String {
        format!("{:.1} s", self.longest_gap.as_secs_f64())
    }

    /// Renders the writes that were asked to try again, and the slowest request with a live token.
    pub(crate) fn rest(&self) -> String {
        format!("{} of 503, slowest live token {:.0?}", self.unacknowledged, self.slowest_read)
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let counts = self.state().counts;
        writeln!(f, "{:14} {:>8} {:>8} {:>8}", "", "right", "503", "wrong")?;
        for (kind, Count { right, unacknowledged, wrong }) in KINDS.iter().zip(counts) {
            let kind = format!("{kind:?}");
            writeln!(f, "{kind:14} {right:8} {unacknowledged:8} {wrong:8}")?;
        }
        Ok(())
    }
}
