//! Report of the figures: medians, costs above no filter, ratios, and targets.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::edge::Figures;
use super::measure::{Measured, Round};
use super::scenario::{FEW_RULES, Filter, MANY_RULES, Tokens, USUAL_TOKENS};

const MIB: f64 = 1024.0 * 1024.0;

/// Returns the median.
pub(super) fn median(values: Vec<f64>) -> f64 {
    quantile(values, 50)
}

fn quantile(mut values: Vec<f64>, share: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) * share / 100).copied().unwrap_or(f64::NAN)
}

impl Measured {
    fn all(&self, figure: impl Fn(&Round) -> f64) -> Vec<f64> {
        self.rounds.iter().map(figure).collect()
    }
}

/// Returns the median of the differences between two scenarios, in processor time for a request. They are compared round
/// by round: disturbances of the machine affect the scenarios of one round alike.
fn difference(one: &Measured, other: &Measured) -> f64 {
    median(one.rounds.iter().zip(&other.rounds).map(|(one, other)| one.cpu - other.cpu).collect())
}

/// Returns the cost of a scenario above that of no filter with the same requests.
pub(super) fn above(one: &Measured, all: &[Measured]) -> f64 {
    let none = all
        .iter()
        .find(|other| other.scenario.filter == Filter::None && other.scenario.shape == one.scenario.shape);
    none.map_or(f64::NAN, |none| difference(one, none))
}

/// Returns the ratio of a scenario's cost to that of one of these filters with the same requests.
fn ratio(one: &Measured, filters: &[Filter], all: &[Measured]) -> Option<f64> {
    let other = all.iter().find(|other| {
        filters.contains(&other.scenario.filter)
            && one.scenario.authenticates()
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
    text += "### Targets\n\n| | target | measured | |\n|---|---|---|---|\n";
    for Target { what, limit, found, unit } in targets(figures)? {
        let met = if found <= limit { "met" } else { "**missed**" };
        writeln!(text, "| {what} | ≤ {limit}{unit} | {found:.2}{unit} | {met} |")?;
    }
    Ok(text)
}

/// Renders a comparison of two builds as Markdown: for each kind of tokens, the costs above no filter and their ratio.
pub(super) fn comparison(measured: &[Measured]) -> Result<String> {
    let mut text = "| | this build, µs | the other build, µs | ratio | median of the differences, µs (quartiles) |\n|---|---|---|---|---|\n".to_owned();
    for one in measured.iter().filter(|one| matches!(one.scenario.filter, Filter::Edgeward { .. })) {
        let other = measured
            .iter()
            .find(|other| {
                other.scenario.filter == Filter::OtherBuild && other.scenario.tokens == one.scenario.tokens
            })
            .context("the other build was not measured")?;
        let [this, that] = [one, other].map(|build| above(build, measured));
        let differences =
            || one.rounds.iter().zip(&other.rounds).map(|(one, other)| one.cpu - other.cpu).collect();
        writeln!(
            text,
            "| {} | {this:.2} | {that:.2} | {:.3} | {:+.2} ({:+.2} to {:+.2}) |",
            one.scenario.name(),
            this / that,
            difference(one, other),
            quantile(differences(), 25),
            quantile(differences(), 75),
        )?;
    }
    Ok(text)
}

fn table(measured: &[Measured]) -> Result<String> {
    let mut text = "| | CPU, µs | quartiles | above no filter | × `jwt_authn` | × chain | requests/s | p50, µs | p99, µs |\n\
                    |---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for one in measured {
        let quartiles = [25, 75].map(|share| quantile(one.all(|round| round.cpu), share));
        let ratio = |filters: &[Filter]| {
            ratio(one, filters, measured).map_or_else(String::new, |ratio| format!("{ratio:.2}"))
        };
        let above = above(one, measured);
        writeln!(
            text,
            "| {} | {:.1} | {:.1}–{:.1} | {} | {} | {} | {:.0} | {:.0} | {:.0} |",
            one.scenario.name(),
            median(one.all(|round| round.cpu)),
            quartiles[0],
            quartiles[1],
            if one.scenario.filter == Filter::None { String::new() } else { format!("{above:+.1}") },
            ratio(&[Filter::JwtAuthn { cache: true }, Filter::JwtAuthn { cache: false }]),
            ratio(&[Filter::Chain { cache: true }, Filter::Chain { cache: false }]),
            median(one.all(|round| round.rate)),
            median(one.all(|round| round.latency[0])),
            median(one.all(|round| round.latency[1])),
        )?;
    }
    Ok(text)
}

/// Target for a figure, and the measured value.
struct Target {
    what: &'static str,
    limit: f64,
    found: f64,
    unit: &'static str,
}

fn targets(figures: &Figures) -> Result<Vec<Target>> {
    let (_, all) = figures.measured.first().context("nothing was measured")?;
    let find = |filter: Filter, tokens: Tokens| {
        let found = all.iter().find(|one| one.scenario.filter == filter && one.scenario.tokens == tokens);
        found.with_context(|| format!("{filter:?} with {tokens:?} was not measured"))
    };
    let cost = |filter, tokens| find(filter, tokens).map(|one| above(one, all));
    let (edgeward, usual) = (Filter::Edgeward { rules: FEW_RULES }, Tokens::Seen(USUAL_TOKENS));
    let (seen, new) = (cost(edgeward, usual)?, cost(edgeward, Tokens::New)?);
    let cached = find(edgeward, usual)?;
    let alone = difference(find(Filter::EdgewardAlone, Tokens::New)?, cached);
    let by_rules = difference(find(Filter::Edgeward { rules: MANY_RULES }, usual)?, cached);
    let many = Tokens::Seen(figures.effort.tokens);
    let target = |what, limit, found, unit| Target { what, limit, found, unit };
    Ok(vec![
        target(
            "seen token, × native chain with cache",
            0.8,
            seen / cost(Filter::Chain { cache: true }, usual)?,
            "",
        ),
        target(
            "seen token, × `jwt_authn` with cache",
            1.4,
            seen / cost(Filter::JwtAuthn { cache: true }, usual)?,
            "",
        ),
        target(
            "new token, × native chain without cache",
            0.95,
            new / cost(Filter::Chain { cache: false }, usual)?,
            "",
        ),
        target(
            "new token, × `jwt_authn` without cache",
            1.05,
            new / cost(Filter::JwtAuthn { cache: false }, usual)?,
            "",
        ),
        target("seen token, × `ext_authz`", 0.25, seen / cost(Filter::ExtAuthz, usual)?, ""),
        target("RS256 inside wasm", 450.0, alone, " µs"),
        target("500 rules rather than 10", 1.0, by_rules, " µs"),
        target(
            "memory of a worker for the most tokens seen",
            16.0,
            mib(find(edgeward, many)?.growth),
            " MiB",
        ),
        target("the plugin's size", 1.0, mib(figures.wasm_bytes), " MiB"),
        target("compiling and configuring the plugin", 300.0, figures.start.load, " ms"),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "no machine has so much memory")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB
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
            Measured { scenario: scenario.clone(), rounds: cpu.map(round).to_vec(), growth: 0 }
        };
        // The machine slows down, and the filter's cost stays the same.
        let (none, filter) = (measured([100.0, 150.0, 300.0]), measured([140.0, 190.0, 340.0]));
        assert!((difference(&filter, &none) - 40.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_median_is_the_middle_one() {
        for (values, expected) in
            [(vec![3.0], 3.0), (vec![9.0, 1.0, 5.0], 5.0), (vec![1.0, 2.0, 3.0, 90.0], 2.0)]
        {
            assert!((median(values.clone()) - expected).abs() < f64::EPSILON, "{values:?}");
        }
    }
}
