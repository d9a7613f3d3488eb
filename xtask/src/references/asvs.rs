//! Counts of the rows of OWASP ASVS, and the list of those that are not met.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use edgeward_stack::paths;

/// Document with a row for each requirement.
pub(super) const PAGE: &str = "docs/security/asvs.md";

const VERDICTS: [&str; 3] = ["met", "not met", "not applicable"];

/// Requirement of the standard.
#[derive(Clone, Copy)]
struct Row<'t> {
    chapter: &'t str,
    number: &'t str,
    requirement: &'t str,
    level: &'t str,
    verdict: &'t str,
    reason: &'t str,
}

/// Returns the table of counts.
pub(super) fn render_counts() -> Result<String> {
    let text = read()?;
    Ok(counts(&rows(&text)?))
}

/// Returns the table of the requirements that are not met.
pub(super) fn render_not_met() -> Result<String> {
    let text = read()?;
    let rows = rows(&text)?;
    let not_met = rows.iter().filter(|row| row.verdict == "not met").map(|row| {
        let Row { number, requirement, level, reason, .. } = row;
        format!("| {number} | {requirement} | {level} | {reason} |\n")
    });
    let header = "| | requirement | level | why not |\n|---|---|---|---|\n".to_owned();
    Ok([header].into_iter().chain(not_met).collect())
}

fn read() -> Result<String> {
    fs::read_to_string(paths::root().join(PAGE)).context(PAGE)
}

/// Reads the rows below the headings of chapters.
fn rows(text: &str) -> Result<Vec<Row<'_>>> {
    let (mut rows, mut chapter) = (Vec::new(), "");
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            chapter = title;
        }
        let is_row =
            line.strip_prefix("| ").is_some_and(|rest| rest.starts_with(|char: char| char.is_ascii_digit()));
        if !is_row {
            continue;
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let &[number, requirement, level, verdict, reason] = cells.as_slice() else {
            anyhow::bail!("{PAGE}: five cells are needed: {line}");
        };
        ensure!(VERDICTS.contains(&verdict), "{PAGE}: {number} is neither of {VERDICTS:?}");
        rows.push(Row { chapter, number, requirement, level, verdict, reason });
    }
    Ok(rows)
}

fn counts(rows: &[Row<'_>]) -> String {
    let mut chapters: Vec<&str> = rows.iter().map(|row| row.chapter).collect();
    chapters.dedup();
    let count = |name: &str, is_in: &dyn Fn(&Row<'_>) -> bool| {
        let of = |verdict: &str| rows.iter().filter(|row| is_in(row) && row.verdict == verdict).count();
        let [met, not_met, not_applicable] = VERDICTS.map(of);
        format!("| {name} | {met} | {not_met} | {not_applicable} |\n")
    };
    let header = "| | met | not met | not applicable |\n|---|---|---|---|\n".to_owned();
    let of_chapters = chapters.iter().map(|chapter| count(chapter, &|row| row.chapter == *chapter));
    let totals = [count("**all**", &|_| true), count("of level 1", &|row| row.level == "1")];
    [header].into_iter().chain(of_chapters).chain(totals).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_by_chapter_and_level() {
        let text = "## V3 Web\n| | a | b |\n|---|---|\n| 3.1.1 | docs | 1 | met | here |\n| 3.1.2 | more | 2 | not met | – |\n\
                    ## V6 Auth\n| 6.1.1 | docs | 1 | not applicable | none |\n";
        let expected = "| | met | not met | not applicable |\n|---|---|---|---|\n| V3 Web | 1 | 1 | 0 |\n| V6 Auth | 0 | 0 | 1 |\n\
                        | **all** | 1 | 1 | 1 |\n| of level 1 | 1 | 0 | 1 |\n";
        assert_eq!(counts(&rows(text).unwrap()), expected);
        assert!(rows("## V3\n| 3.1.1 | docs | 1 | maybe | – |").is_err());
    }
}
