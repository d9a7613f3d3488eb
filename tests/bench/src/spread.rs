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
    /// Returns those of these values, interpolated between two of them; NaN if there are none.
    pub(super) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let last = values.len().saturating_sub(1);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let [low, median, high] = [1, 2, 3].map(|quarter| {
            let (index, rest) = (last * quarter / 4, last * quarter % 4);
            let (value, next) = (at(index), at((index + 1).min(last)));
            value + (next - value) * [0.0, 0.25, 0.5, 0.75][rest]
        });
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
    fn median_and_quartiles_are_interpolated() {
        for (values, expected) in [
            (vec![3.0], "3.0 (3.0 to 3.0)"),
            (vec![9.0, 1.0, 5.0], "5.0 (3.0 to 7.0)"),
            (vec![1.0, 2.0, 3.0, 5.0], "2.5 (1.8 to 3.5)"),
            (vec![5.0, 4.0, 3.0, 2.0, 1.0], "3.0 (2.0 to 4.0)"),
        ] {
            assert_eq!(format!("{:.1}", Spread::of(values.clone())), expected, "{values:?}");
        }
    }
}
