//! Warning of a difference between the companion's clock and this machine's.

use std::time::Duration;

/// Difference, in seconds, from which on it is logged. Chosen: machines that keep time are well below a second apart,
/// and a response may be a second old, or three behind an HTTP cache.
const NOTABLE_GAP_S: u64 = 5;
/// Time without a notable difference after which the next one is logged again, or four polls if that is longer.
/// Chosen: of several companions that are polled in turn, one may be apart.
const ENDS_AFTER: Duration = Duration::from_mins(1);

/// Difference between the clocks, as far as it was logged.
#[derive(Debug, Default)]
pub(super) struct ClockGap {
    /// Time of the last response with a notable difference.
    last_at: Option<Duration>,
}

impl ClockGap {
    /// Takes a response whose clock is `ahead_s` seconds ahead of this machine's, with the configured time between
    /// polls. Returns the line to log: one for as long as the difference lasts.
    pub(super) fn observe(&mut self, ahead_s: i64, now: Duration, poll: Duration) -> Option<String> {
        let gap_s = ahead_s.unsigned_abs();
        if gap_s < NOTABLE_GAP_S {
            return None;
        }
        let ends_after = ENDS_AFTER.max(poll * 4);
        let last_at = self.last_at.replace(now);
        let is_new = last_at.is_none_or(|last_at| now.saturating_sub(last_at) > ends_after);
        let direction = if ahead_s > 0 { "ahead of" } else { "behind" };
        is_new.then(|| {
            format!("the companion's clock is {gap_s} s {direction} this machine's: synchronize both with a time server")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times of responses in seconds, and by how many the companion's clock is ahead.
    type Responses<'a> = &'a [(u64, i64)];

    #[test]
    fn lasting_difference_is_logged_once() {
        let check = |name: &str, poll_s: u64, responses: Responses<'_>, expected: &[u64]| {
            let mut gap = ClockGap::default();
            let logged = responses.iter().filter_map(|&(at, ahead_s)| {
                gap.observe(ahead_s, Duration::from_secs(at), Duration::from_secs(poll_s)).map(|_| at)
            });
            assert_eq!(logged.collect::<Vec<u64>>(), expected, "{name}");
        };
        check("small", 1, &[(1, 0), (2, 4), (3, -4)], &[]);
        check("ahead", 1, &[(1, 5), (2, 8), (3, 60)], &[1]);
        check("behind", 1, &[(1, -5), (2, -8)], &[1]);
        check("one of several companions", 1, &[(1, 8), (2, 0), (3, 8), (60, 8)], &[1]);
        check("gone for more than a minute", 1, &[(1, 8), (61, 8), (122, 8)], &[1, 122]);
        check("polled once a minute", 60, &[(1, 8), (241, 8), (482, 8)], &[1, 482]);
    }

    #[test]
    fn line_names_the_difference_and_its_direction() {
        for (ahead_s, expected) in
            [(8, "is 8 s ahead of this machine's"), (-6, "is 6 s behind this machine's")]
        {
            let line = ClockGap::default().observe(ahead_s, Duration::from_secs(1), Duration::from_secs(1));
            assert!(line.as_ref().is_some_and(|line| line.contains(expected)), "{line:?}");
        }
    }
}
