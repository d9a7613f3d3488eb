//! `edgeward filter test`: the core's verdict on every case of a file, compared with the expected one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::explain::Explanation;

use super::cases::{self, Case, Cases, Expectation};
use super::test_user::TestKey;
use super::{keys, render, source};
use crate::cli::print_line;

#[derive(Args)]
pub(in crate::cli) struct Test {
    /// File of cases, in YAML
    cases: PathBuf,
}

impl Test {
    pub(super) fn run(self, now: u64) -> anyhow::Result<()> {
        let cases = self.read()?;
        let source = source::read_one(&cases.configuration, cases.plugin.as_deref())?;
        let policy = source.compile_or_explain()?.policy;
        keys::check_signatures();
        let key = TestKey::generate()?;
        let state = EdgeState::new(key.verifying()?, now);
        let rules = source.rules();
        let mut failed = 0_usize;
        for case in &cases.list {
            let mut head = case.head.clone();
            if let Some(user) = &case.user {
                key.sign_in(&mut head, user, &policy, now)?;
            }
            let explanation = head.explain(&policy, &state, now);
            if case.expectation.is_met_by(&explanation.verdict) {
                print_line(format_args!("ok      {}", case.name))?;
                continue;
            }
            failed += 1;
            print_line(format_args!("FAILED  {}", case.name))?;
            for line in self.describe(case, &explanation, &rules) {
                print_line(format_args!("        {line}"))?;
            }
        }
        match (failed, cases.list.len()) {
            (0, 1) => print_line("1 case passed"),
            (0, count) => print_line(format_args!("{count} cases passed")),
            (_, count) => bail!("{failed} of {count} cases failed"),
        }
    }

    /// Reads the file of cases. Prints its mistakes.
    fn read(&self) -> anyhow::Result<Cases> {
        let file = self.cases.display();
        let text = fs::read_to_string(&self.cases).with_context(|| format!("{file} cannot be read"))?;
        let folder = self.cases.parent().unwrap_or(Path::new(""));
        let mistakes = match cases::read(&text, folder) {
            Ok(cases) => return Ok(cases),
            Err(mistakes) => mistakes,
        };
        for (line, problem) in &mistakes {
            print_line(format_args!("{file}:{line}: {problem}"))?;
        }
        bail!("no case has run: correct {file} first");
    }

    /// Describes a case that failed.
    fn describe(&self, case: &Case, explanation: &Explanation<'_>, rules: &[String]) -> Vec<String> {
        let mut lines = vec![
            format!("case      {}:{}", self.cases.display(), case.line),
            format!("request   {} {}", case.head.method, case.head.target.escape_debug()),
            format!("expected  {}", case.expectation),
            format!("got       {}", Expectation::of(&explanation.verdict)),
        ];
        if let Some(rejection) = explanation.verdict.rejection() {
            lines.push(format!("reason    {rejection}"));
        }
        lines.push(format!("rule      {}", render::rule(&explanation.rule, rules)));
        lines
    }
}
