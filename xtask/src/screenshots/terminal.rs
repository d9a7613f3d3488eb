//! Recording of a terminal as an SVG: the commands of a document, and what they printed.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use edgeward_stack::paths;

/// Recording.
const RECORDING: &str = "docs/images/tour.svg";
/// Document, and the heading above its commands.
const SOURCE: (&str, &str) = ("README.md", "## A tour\n");
/// Width of the terminal, in characters. Chosen: GitHub shows a README about 830 pixels wide.
const COLUMNS: usize = 112;
/// Size of a character, in pixels, in a monospaced font of 13 pixels.
const CHARACTER: (f32, f32) = (7.83, 18.0);
const MARGIN: f32 = 16.0;
/// Time that a reader has between two commands. Chosen.
const PAUSE: Duration = Duration::from_secs(2);
/// Lines have appeared at their time; without animations, and for readers who want none, all are there.
const STYLE: &str = "text{font:13px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre;fill:#b6c2cf}\
    .typed{fill:#fff}@keyframes wait{from{opacity:0}}@media(prefers-reduced-motion:no-preference){text{animation:wait step-end}}";

/// Lines that appear at once.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    after: Duration,
    is_typed: bool,
    lines: Vec<String>,
}

/// Runs the commands at the root of the checkout, and writes the recording.
pub(super) fn record() -> Result<()> {
    let (document, heading) = SOURCE;
    let text = read(document)?;
    let (mut steps, mut now) = (Vec::new(), Duration::ZERO);
    for command in commands(&text, heading) {
        steps.push(Step { after: now, is_typed: true, lines: typed(&command) });
        let start = Instant::now();
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).current_dir(paths::root()).stderr(Stdio::null());
        let output = shell.output().with_context(|| format!("cannot run: {command}"))?;
        ensure!(output.status.success(), "{document}: {} of: {command}", output.status);
        now += start.elapsed();
        steps.push(Step {
            after: now,
            is_typed: false,
            lines: wrapped(&String::from_utf8_lossy(&output.stdout)),
        });
        now += PAUSE;
    }
    fs::write(paths::root().join(RECORDING), render(&steps)).context(RECORDING)
}

/// Returns a fault if the recording is of other commands than the document has.
pub(crate) fn find_fault() -> Result<Option<String>> {
    let (document, heading) = SOURCE;
    let recorded = read(RECORDING)?;
    let commands = commands(&read(document)?, heading);
    let mut lines = commands.iter().flat_map(|command| typed(command));
    let is_current = lines.all(|line| recorded.contains(&format!(">{}</text>", escape(&line))));
    Ok((!is_current)
        .then(|| format!("{RECORDING}: {document} has other commands: run `cargo xtask screenshots`")))
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(paths::root().join(path)).with_context(|| format!("cannot read {path}"))
}

/// Returns the commands of the first fenced code below a heading. Each goes on after a backslash at the end of a line.
fn commands(text: &str, heading: &str) -> Vec<String> {
    let code = text.split(heading).nth(1).and_then(|rest| rest.split("```").nth(1)).unwrap_or_default();
    let mut commands: Vec<String> = Vec::new();
    for line in code.lines().skip(1) {
        match commands.last_mut().filter(|last| last.ends_with('\\')) {
            Some(last) => last.extend(["\n", line]),
            None => commands.push(line.to_owned()),
        }
    }
    commands
}

/// Returns a command as it is typed: comments follow it closely.
fn typed(command: &str) -> Vec<String> {
    let line = |line: &str| match line.rsplit_once(" # ") {
        Some((code, comment)) => format!("{}  # {comment}", code.trim_end()),
        None => line.to_owned(),
    };
    wrapped(&format!("$ {}", command.lines().map(line).collect::<Vec<_>>().join("\n")))
}

/// Breaks lines as the terminal does.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.trim_end().lines() {
        let characters: Vec<char> = line.trim_end().chars().collect();
        lines.extend(characters.chunks(COLUMNS).map(|part| part.iter().collect::<String>()));
        if characters.is_empty() {
            lines.push(String::new());
        }
    }
    lines
}

fn render(steps: &[Step]) -> String {
    let count = u16::try_from(steps.iter().map(|step| step.lines.len()).sum::<usize>()).unwrap_or(u16::MAX);
    let columns = u16::try_from(COLUMNS).unwrap_or(u16::MAX);
    let (width, height) = CHARACTER;
    let (width, whole) =
        (f32::from(columns).mul_add(width, 2.0 * MARGIN), f32::from(count).mul_add(height, 2.0 * MARGIN));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{whole:.0}\" role=\"img\" \
         aria-label=\"The tour in a terminal\">\n<style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1b222b\"/>\n"
    );
    let mut y = MARGIN;
    for Step { after, is_typed, lines } in steps {
        let class = if *is_typed { " class=\"typed\"" } else { "" };
        for line in lines {
            y += height;
            let (seconds, line) = (after.as_secs_f32(), escape(line));
            // Writing to a String never fails.
            let _written = writeln!(
                svg,
                "<text{class} x=\"{MARGIN}\" y=\"{y:.0}\" style=\"animation-duration:{seconds:.1}s\">{line}</text>"
            );
        }
    }
    svg + "</svg>\n"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_of_the_first_code_below_the_heading() {
        let text = "```sh\nno\n```\n## A tour\n\n```sh\ncurl -i a     # 401: b\ncurl -c d \\\n  -d 'e'\n```\n```sh\nno\n```\n";
        let found = commands(text, "## A tour\n");
        assert_eq!(found, ["curl -i a     # 401: b", "curl -c d \\\n  -d 'e'"]);
        assert_eq!(typed(&found[0]), ["$ curl -i a  # 401: b"]);
    }

    #[test]
    fn lines_are_text_that_appears_at_its_time() {
        let step = Step { after: Duration::from_millis(2500), is_typed: false, lines: wrapped("<b>&\r\n") };
        let svg = render(&[step]);
        assert!(svg.contains("animation-duration:2.5s\">&lt;b&gt;&amp;</text>"), "{svg}");
        assert_eq!(wrapped(&"x".repeat(COLUMNS + 1)).len(), 2);
    }
}
