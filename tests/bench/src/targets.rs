//! Targets, beside the figures that were measured.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::edge::Figures;
use super::measure::Measured;
use super::report::{above, difference};
use super::scenario::{Filter, MANY_RULES, NATIVE, Tokens, USUAL_SEEN, WASM, count_of};
use edgeward_stack::shell::Shell;

/// Target for a figure, and the measured values.
struct Target {
    what: String,
    /// Maximum.
    limit: Option<f64>,
    /// Maximum of the last release, if it was another.
    earlier: Option<f64>,
    /// With one worker, and with two if that makes a difference.
    found: Vec<f64>,
    unit: &'static str,
}

/// Renders the targets.
pub(super) fn table(figures: &Figures) -> Result<String> {
    let mut text =
        "### Targets\n\n| | target | before | 1 worker | 2 workers | |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for Target { what, limit, earlier, found, unit } in targets(figures)? {
        let limits =
            [limit, earlier].map(|limit| limit.map_or("–".to_owned(), |limit| format!("≤ {limit}{unit}")));
        let [target, before] = limits;
        let value =
            |workers: usize| found.get(workers).map_or_else(String::new, |found| format!("{found:.2}{unit}"));
        let verdict = match limit {
            None => "",
            Some(limit) if found.iter().all(|found| *found <= limit) => "met",
            Some(_) => "**missed**",
        };
        writeln!(text, "| {what} | {target} | {before} | {} | {} | {verdict} |", value(0), value(1))?;
    }
    Ok(text)
}

/// Figures of the scenarios with one number of workers.
struct Costs<'a>(&'a [Measured]);

impl Costs<'_> {
    fn find(&self, filter: Filter, tokens: Tokens) -> Result<&Measured> {
        let found = self.0.iter().find(|one| one.scenario.filter == filter && one.scenario.tokens == tokens);
        found.with_context(|| format!("{filter:?} with {tokens:?} was not measured"))
    }

    fn cost(&self, filter: Filter, tokens: Tokens) -> Result<f64> {
        Ok(above(self.find(filter, tokens)?, self.0))
    }

    /// Returns the cost of a new token or of one that was seen, as a multiple of that of another filter.
    fn ratio(&self, filter: Filter, tokens: Tokens, other: Filter) -> Result<f64> {
        Ok(self.cost(filter, tokens)? / self.cost(other, USUAL_SEEN)?)
    }

    /// Returns the cost of a scenario above that of a token that was seen.
    fn beyond_seen(&self, filter: Filter, tokens: Tokens, seen: Filter) -> Result<f64> {
        Ok(difference(self.find(filter, tokens)?, self.find(seen, USUAL_SEEN)?).median)
    }
}

fn targets(figures: &Figures) -> Result<Vec<Target>> {
    let costs: Vec<Costs<'_>> = figures.measured.iter().map(|(_, all)| Costs(all)).collect();
    let one = costs.first().context("nothing was measured")?;
    let ratios = |filter, tokens, other| -> Result<Vec<f64>> {
        costs.iter().map(|costs| costs.ratio(filter, tokens, other)).collect()
    };
    let target = |what: &str, limit, found, unit| Target {
        what: what.to_owned(),
        limit: Some(limit),
        earlier: None,
        found,
        unit,
    };
    let changed = |what: &str, limit, earlier, found| Target {
        what: what.to_owned(),
        limit,
        earlier: Some(earlier),
        found,
        unit: "",
    };
    let with_many_rules =
        |shell, usual| one.beyond_seen(Filter::Edgeward { shell, rules: MANY_RULES }, USUAL_SEEN, usual);
    let (jwt_authn, jwt_authn_new) = (Filter::JwtAuthn { cache: true }, Filter::JwtAuthn { cache: false });
    let (chain, chain_new) = (Filter::Chain { cache: true }, Filter::Chain { cache: false });
    let (memory, starts) = (&figures.memory, &figures.starts);
    let in_process = memory.tokens_native.map(|spread| spread.median).to_vec();
    let revoked = memory.revocations_native.map(|spread| spread.median).to_vec();
    let tokens = count_of(memory.tokens, "token");
    let revocations = count_of(memory.revocations, "revocation");
    let alone = one.beyond_seen(Filter::EdgewardAlone, Tokens::New, WASM)?;
    Ok(vec![
        target(
            "native: seen token, × `jwt_authn` with cache",
            0.70,
            ratios(NATIVE, USUAL_SEEN, jwt_authn)?,
            "",
        ),
        target("native: seen token, × chain with cache", 0.42, ratios(NATIVE, USUAL_SEEN, chain)?, ""),
        target(
            "native: new token, × `jwt_authn` without cache",
            0.78,
            ratios(NATIVE, Tokens::New, jwt_authn_new)?,
            "",
        ),
        target(&format!("native: memory of a process for {tokens} seen"), 16.0, in_process, " MiB"),
        target(&format!("native: memory of a process for {revocations}"), 16.0, revoked, " MiB"),
        target("native: load and configure", 5.0, vec![starts.native.load.median], " ms"),
        target("native: 500 rules rather than 10", 1.0, vec![with_many_rules(Shell::Native, NATIVE)?], " µs"),
        changed("wasm: seen token, × chain with cache", Some(0.85), 0.8, ratios(WASM, USUAL_SEEN, chain)?),
        changed(
            "wasm: new token, × chain without cache",
            Some(1.0),
            0.95,
            ratios(WASM, Tokens::New, chain_new)?,
        ),
        changed(
            "wasm: seen token, × `jwt_authn` with cache",
            None,
            1.4,
            ratios(WASM, USUAL_SEEN, jwt_authn)?,
        ),
        changed(
            "wasm: new token, × `jwt_authn` without cache",
            None,
            1.05,
            ratios(WASM, Tokens::New, jwt_authn_new)?,
        ),
        target("wasm: seen token, × `ext_authz`", 0.25, ratios(WASM, USUAL_SEEN, Filter::ExtAuthz)?, ""),
        target("wasm: RS256 inside wasm", 450.0, vec![alone], " µs"),
        target("wasm: 500 rules rather than 10", 1.0, vec![with_many_rules(Shell::Wasm, WASM)?], " µs"),
        target(
            &format!("wasm: memory of a worker for {tokens} seen"),
            16.0,
            vec![memory.tokens_wasm.median],
            " MiB",
        ),
        target("wasm: size of the plugin", 1.0, vec![mib(figures.wasm_bytes)], " MiB"),
        target("wasm: compile and configure", 300.0, vec![starts.wasm.load.median], " ms"),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "no file is so large")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
