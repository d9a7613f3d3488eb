//! The figures, set side by side: medians, what is above no filter at all, ratios, and what was aimed at.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::edge::Figures;
use super::measure::{Measured, Round};
use super::scenario::{FEW_RULES, Filter, MANY_RULES, Tokens, USUAL_TOKENS};

const MIB: f64 = 1024.0 * 1024.0;

/// The middle one.
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

/// What a scenario takes more than another, in processor time for a request and at the median: compared round by round,
/// as what else goes on in the machine hits the scenarios of one round alike.
fn more(one: &Measured, other: &Measured) -> f64 {
    median(one.rounds.iter().zip(&other.rounds).map(|(one, other)| one.cpu - other.cpu).collect())
}

/// What a scenario takes more than no filter does, for the same requests.
pub(super) fn above(one: &Measured, all: &[Measured]) -> f64 {
    let none = all
        .iter()
        .find(|other| other.scenario.filter == Filter::None && other.scenario.shape == one.scenario.shape);
    none.map_or(f64::NAN, |none| more(one, none))
}

/// How many times as much it takes as these filters do with the same requests.
fn ratio(one: &Measured, filters: &[Filter], all: &[Measured]) -> Option<f64> {
    let other = all.iter().find(|other| {
        filters.contains(&other.scenario.filter)
            && one.scenario.judges()
            && one.scenario.is_comparable(&other.scenario)
    })?;
    Some(above(one, all) / above(other, all))
}

/// Everything as Markdown.
pub(super) fn tables(figures: &Figures) -> Result<String> {
    let mut text = String::new();
    for (workers, measured) in &figures.measured {
        writeln!(text, "### {workers} worker{}\n", if *workers == 1 { "" } else { "s" })?;
        text += &table(measured)?;
        text.push('\n');
    }
    text += "### What was aimed at\n\n| | aim | measured | |\n|---|---|---|---|\n";
    for Aim { what, limit, found, unit } in aims(figures)? {
        let met = if found <= limit { "met" } else { "**missed**" };
        writeln!(text, "| {what} | ≤ {limit}{unit} | {found:.2}{unit} | {met} |")?;
    }
    Ok(text)
}

/// The two builds as Markdown, by tokens: what each takes above no filter, and their ratio.
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
            more(one, other),
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

/// A figure that was aimed at, and what was found.
struct Aim {
    what: &'static str,
    limit: f64,
    found: f64,
    unit: &'static str,
}

fn aims(figures: &Figures) -> Result<Vec<Aim>> {
    let (_, all) = figures.measured.first().context("nothing was measured")?;
    let find = |filter: Filter, tokens: Tokens| {
        let found = all.iter().find(|one| one.scenario.filter == filter && one.scenario.tokens == tokens);
        found.with_context(|| format!("{filter:?} with {tokens:?} was not measured"))
    };
    let cost = |filter, tokens| find(filter, tokens).map(|one| above(one, all));
    let (edgeward, usual) = (Filter::Edgeward { rules: FEW_RULES }, Tokens::Seen(USUAL_TOKENS));
    let (seen, new) = (cost(edgeward, usual)?, cost(edgeward, Tokens::New)?);
    let known = find(edgeward, usual)?;
    let alone = more(find(Filter::EdgewardAlone, Tokens::New)?, known);
    let by_rules = more(find(Filter::Edgeward { rules: MANY_RULES }, usual)?, known);
    let many = Tokens::Seen(figures.effort.tokens);
    let aim = |what, limit, found, unit| Aim { what, limit, found, unit };
    Ok(vec![
        aim(
            "seen token, × native chain with cache",
            0.8,
            seen / cost(Filter::Chain { cache: true }, usual)?,
            "",
        ),
        aim(
            "seen token, × `jwt_authn` with cache",
            1.4,
            seen / cost(Filter::JwtAuthn { cache: true }, usual)?,
            "",
        ),
        aim(
            "new token, × native chain without cache",
            0.95,
            new / cost(Filter::Chain { cache: false }, usual)?,
            "",
        ),
        aim(
            "new token, × `jwt_authn` without cache",
            1.05,
            new / cost(Filter::JwtAuthn { cache: false }, usual)?,
            "",
        ),
        aim("seen token, × `ext_authz`", 0.25, seen / cost(Filter::ExtAuthz, usual)?, ""),
        aim("RS256 inside wasm", 450.0, alone, " µs"),
        aim("500 rules rather than 10", 1.0, by_rules, " µs"),
        aim("memory of a worker for the most tokens seen", 16.0, mib(find(edgeward, many)?.growth), " MiB"),
        aim("the plugin's size", 1.0, mib(figures.wasm_bytes), " MiB"),
        aim("compiling and configuring the plugin", 300.0, figures.start.load, " ms"),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "nobody has so much memory")]
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
        // The machine slows down; what the filter takes does not change.
        let (none, filter) = (measured([100.0, 150.0, 300.0]), measured([140.0, 190.0, 340.0]));
        assert!((more(&filter, &none) - 40.0).abs() < f64::EPSILON);
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
