//! Figures of a flood, and the statistics of response times.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Number of responses by status.
#[derive(Default)]
pub(super) struct Statuses(BTreeMap<u16, usize>);

impl Statuses {
    pub(super) fn count(&mut self, status: u16) {
        *self.0.entry(status).or_default() += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (status, count) in &other.0 {
            *self.0.entry(*status).or_default() += count;
        }
    }

    pub(super) fn total(&self) -> usize {
        self.0.values().sum()
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        f.write_str(&all.join(", "))
    }
}

/// Returns the median and the 99th percentile.
pub(super) fn percentiles(mut times: Vec<Duration>) -> [Duration; 2] {
    times.sort_unstable();
    [50, 99].map(|part| times.get(times.len() * part / 100).copied().unwrap_or_default())
}

/// Sample of response times, in microseconds.
pub(super) struct Sample(pub(super) Vec<f64>);

impl Sample {
    pub(super) fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.count()
    }

    /// Returns Welch's t of two samples: the difference of their means in units of its standard error. Beyond 2.6, chance
    /// explains it in one of a hundred cases.
    pub(super) fn welch_t(&self, other: &Self) -> f64 {
        let error = (self.variance() / self.count() + other.variance() / other.count()).sqrt();
        (self.mean() - other.mean()) / error
    }

    fn variance(&self) -> f64 {
        let mean = self.mean();
        self.0.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (self.count() - 1.0)
    }

    fn count(&self) -> f64 {
        u32::try_from(self.0.len()).map_or(f64::INFINITY, f64::from)
    }
}
