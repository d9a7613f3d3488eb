//! Report of the figures: medians, costs above no filter, and ratios.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::edge::Figures;
use super::measure::{Measured, Round};
use super::scenario::Filter;
use super::spread::Spread;
use super::{memory, startup, targets};

impl Measured {
    fn spread(&self, figure: impl Fn(&Round) -> f64) -> Spread {
        Spread::of(self.rounds.iter().map(figure).collect())
    }
}

/// Returns the differences between two scenarios, in processor time for a request. They are compared round by round:
/// disturbances of the machine affect the scenarios of one round alike.
pub(super) fn difference(one: &Measured, other: &Measured) -> Spread {
    Spread::of(one.rounds.iter().zip(&other.rounds).map(|(one, other)| one.cpu - other.cpu).collect())
}

/// Returns the cost of a scenario above that of no filter with the same requests.
pub(super) fn above(one: &Measured, all: &[Measured]) -> f64 {
    let none = all
        .iter()
        .find(|other| other.scenario.filter == Filter::None && other.scenario.shape == one.scenario.shape);
    none.map_or(f64::NAN, |none| difference(one, none).median)
}

/// Returns the ratio of a scenario's cost to that of one of these filters with the same requests.
fn ratio(one: &Measured, filters: &[Filter], all: &[Measured]) -> Option<f64> {
    let other = all.iter().find(|other| {
        filters.contains(&other.scenario.filter)
            && one.scenario.filter.authenticates()
            && one.scenario.is_comparable(&other.scenario)
    })?;
    Some(above(one, all) / above(other, all))
}

/// Renders all figures as Markdown.
pub(super) fn tables(figures: &Figures) -> Result<String> {
    let mut text = String::new();
    for (workers, measured) in &figures.measured {
        writeln!(text, "### {workers} worker{}\n", if *workers == 1 { "" } else { "s" })?;
        text += &table(measured)?;
        text.push('\n');
    }
    text += "### Start and memory\n\n";
    text += &startup::table(&figures.starts)?;
    text += &memory::table(&figures.memory)?;
    text.push('\n');
    text += &targets::table(figures)?;
    Ok(text)
}

/// Renders a comparison of two builds as Markdown: for each kind of tokens, the costs above no filter and their ratio.
pub(super) fn comparison(measured: &[Measured]) -> Result<String> {
    let mut text = "| | this build, µs | the other build, µs | ratio | median of the differences, µs (quartiles) |\n|---|---|---|---|---|\n".to_owned();
    for one in measured.iter().filter(|one| matches!(one.scenario.filter, Filter::Edgeward { .. })) {
        let other = measured
            .iter()
            .find(|other| {
                matches!(other.scenario.filter, Filter::OtherBuild(_))
                    && other.scenario.tokens == one.scenario.tokens
            })
            .context("the other build was not measured")?;
        let [this, that] = [one, other].map(|build| above(build, measured));
        let Spread { low, median, high } = difference(one, other);
        writeln!(
            text,
            "| {} | {this:.2} | {that:.2} | {:.3} | {median:+.2} ({low:+.2} to {high:+.2}) |",
            one.scenario.name(),
            this / that,
        )?;
    }
    Ok(format!("{text}\n{}", table(measured)?))
}

fn table(measured: &[Measured]) -> Result<String> {
    let mut text = "| | CPU, µs | quartiles | above no filter | × `jwt_authn` | × chain | × equal job | requests/s | p50, µs | p99, µs |\n\
                    |---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for one in measured {
        let Spread { low, median, high } = one.spread(|round| round.cpu);
        let ratio = |filters: &[Filter]| {
            ratio(one, filters, measured).map_or_else(String::new, |ratio| format!("{ratio:.2}"))
        };
        let above = above(one, measured);
        writeln!(
            text,
            "| {} | {median:.1} | {low:.1}–{high:.1} | {} | {} | {} | {} | {:.0} | {:.0} | {:.0} |",
            one.scenario.name(),
            if one.scenario.filter == Filter::None { String::new() } else { format!("{above:+.1}") },
            ratio(&[Filter::JwtAuthn { cache: true }, Filter::JwtAuthn { cache: false }]),
            ratio(&[Filter::Chain { cache: true }, Filter::Chain { cache: false }]),
            ratio(&[Filter::EqualChain { cache: true }, Filter::EqualChain { cache: false }]),
            one.spread(|round| round.rate).median,
            one.spread(|round| round.latency[0]).median,
            one.spread(|round| round.latency[1]).median,
        )?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effort, scenario};

    #[test]
    fn scenarios_are_compared_round_by_round() {
        let scenario = scenario::all(1, &Effort::QUICK).remove(0);
        let measured = |cpu: [f64; 3]| {
            let round = |cpu| Round { cpu, rate: 0.0, latency: [0.0; 2] };
            Measured { scenario: scenario.clone(), rounds: cpu.map(round).to_vec() }
        };
        // The machine slows down, and the filter's cost stays the same.
        let (none, filter) = (measured([100.0, 150.0, 300.0]), measured([140.0, 190.0, 340.0]));
        assert!((difference(&filter, &none).median - 40.0).abs() < f64::EPSILON);
    }
}
