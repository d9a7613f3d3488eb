//! `performance.md` and its chart, which a full run writes into the documentation.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::edge::Figures;
use super::measure::Measured;
use super::report::{above, tables};
use super::scenario::{Filter, count_of};

pub(super) const FILE: &str = "performance.md";
const CHART: &str = "performance.svg";
const TEXT: &str = include_str!("page.md");

/// Sizes in the chart, in pixels: width of a label, maximum width of a bar, height of a line.
const LABEL: f64 = 330.0;
const BAR: f64 = 380.0;
const LINE: f64 = 26.0;

pub(super) fn write(directory: &Path, figures: &Figures) -> Result<()> {
    fs::create_dir_all(directory)?;
    let (processor, count) = &figures.machine;
    let text = TEXT
        .replace("{{tables}}", &tables(figures)?)
        .replace("{{machine}}", &format!("{count} × {processor}"))
        .replace("{{envoy}}", &figures.envoy)
        .replace("{{starts}}", &figures.effort.starts.to_string())
        .replace("{{rounds}}", &figures.effort.rounds.to_string())
        .replace("{{requests}}", &figures.effort.requests.to_string())
        .replace("{{repeats}}", &figures.effort.repeats.to_string())
        .replace("{{tokens}}", &count_of(figures.effort.tokens, "token"));
    let (_, measured) = figures.measured.first().context("nothing was measured")?;
    for (name, content) in [(FILE, text), (CHART, chart(measured)?)] {
        let path = directory.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Renders a bar for each scenario with a browser's usual request: its cost above no filter.
fn chart(measured: &[Measured]) -> Result<String> {
    let usual = measured.first().context("nothing was measured")?.scenario.shape;
    let shown = |one: &&Measured| {
        one.scenario.shape == usual && !matches!(one.scenario.filter, Filter::None | Filter::EdgewardAlone)
    };
    let bars: Vec<(String, f64, bool)> = measured
        .iter()
        .filter(shown)
        .map(|one| {
            let ours = matches!(one.scenario.filter, Filter::Edgeward { .. });
            (one.scenario.name().replace('`', ""), above(one, measured), ours)
        })
        .collect();
    let longest = bars.iter().map(|(_, value, _)| *value).fold(1.0, f64::max);
    let (mut lines, mut y) = (String::new(), 2.0 * LINE);
    for (name, value, ours) in bars {
        let width = (value / longest * BAR).max(1.0);
        let (text, colour) = (y + 17.0, if ours { "#1a7f64" } else { "#9aa5b1" });
        writeln!(lines, r#"<text x="{}" y="{text}" text-anchor="end">{name}</text>"#, LABEL - 8.0)?;
        let bar = format!(r#"x="{LABEL}" y="{}" width="{width:.1}" height="{}""#, y + 4.0, LINE - 8.0);
        writeln!(lines, r#"<rect {bar} fill="{colour}"/>"#)?;
        writeln!(lines, r#"<text x="{:.1}" y="{text}">{value:.1}</text>"#, LABEL + width + 6.0)?;
        y += LINE;
    }
    let (width, height) = (LABEL + BAR + 60.0, y + 10.0);
    Ok(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" fill="#1f2933">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="16" y="28" font-size="15">Envoy's processor time for a request above no filter, in microseconds</text>
{lines}</svg>
"##
    ))
}
