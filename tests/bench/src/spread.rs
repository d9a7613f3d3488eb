//! Median and quartiles of a figure that was measured several times.

use std::fmt;

/// Median and quartiles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub(super) low: f64,
    pub(super) median: f64,
    pub(super) high: f64,
}

impl Spread {
    /// Returns those of these values; NaN if there are none.
    pub(super) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let last = values.len().saturating_sub(1);
        let [low, median, high] =
            [25, 50, 75].map(|share| values.get(last * share / 100).copied().unwrap_or(f64::NAN));
        Self { low, median, high }
    }
}

impl fmt::Display for Spread {
    /// Writes the median, and the quartiles in brackets, with as many decimals as the format has.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = formatter.precision().unwrap_or(0);
        let Self { low, median, high } = self;
        write!(formatter, "{median:.decimals$} ({low:.decimals$} to {high:.decimals$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        for (values, expected) in [
            (vec![3.0], "3.0 (3.0 to 3.0)"),
            (vec![9.0, 1.0, 5.0], "5.0 (1.0 to 5.0)"),
            (vec![1.0, 2.0, 3.0, 90.0], "2.0 (1.0 to 3.0)"),
            (vec![5.0, 4.0, 3.0, 2.0, 1.0], "3.0 (2.0 to 4.0)"),
        ] {
            assert_eq!(format!("{:.1}", Spread::of(values.clone())), expected, "{values:?}");
        }
    }
}
