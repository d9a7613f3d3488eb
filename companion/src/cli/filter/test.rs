//! `edgeward filter test`: every case of a file, decided by the core, and whether the verdict is the expected one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::explain::{explain, sentence};

use super::cases::{self, Case, describe};
use super::test_user::TestKey;
use super::{keys, render, source};
use crate::cli::print_line;

#[derive(Args)]
pub(in crate::cli) struct Test {
    /// The file of cases, in YAML
    cases: PathBuf,
}

impl Test {
    pub(super) fn run(self, now: u64) -> anyhow::Result<()> {
        let file = self.cases.display();
        let text = fs::read_to_string(&self.cases).with_context(|| format!("{file} cannot be read"))?;
        let folder = self.cases.parent().unwrap_or(Path::new(""));
        let cases = match cases::read(&text, folder) {
            Ok(cases) => cases,
            Err(mistakes) => {
                for (line, what) in &mistakes {
                    print_line(format_args!("{file}:{line}: {what}"))?;
                }
                bail!("no case has run: {file} has mistakes");
            }
        };
        let source = source::read_one(&cases.configuration, cases.plugin.as_deref())?;
        let configuration = source.compile_or_explain()?;
        keys::check_signatures();
        let key = TestKey::generate()?;
        let edge_state = EdgeState::new(key.verifying()?, now);
        let rules = source.rules();
        let mut failed = 0_usize;
        for Case { line, name, head, user, expectation } in &cases.list {
            let mut head = head.clone();
            if let Some(user) = user {
                key.sign_in(&mut head, user, &configuration.policy, now)?;
            }
            let explanation =
                head.with_request(|request| explain(&configuration.policy, &edge_state, request, now));
            let outcome = &explanation.outcome;
            if expectation.is_met_by(outcome) {
                print_line(format_args!("ok      {name}"))?;
                continue;
            }
            failed += 1;
            print_line(format_args!("FAILED  {name} ({file}:{line})"))?;
            print_line(format_args!("        expected {expectation}, came {}", describe(outcome)))?;
            if let Some(sentence) = outcome.rejection().and_then(|rejection| sentence(rejection.label())) {
                print_line(format_args!("        {sentence}"))?;
            }
            print_line(format_args!("        {}", render::rule(&explanation.rule, &rules)))?;
        }
        let count = cases.list.len();
        print_line(format_args!("{} of {count} cases passed", count - failed))?;
        if failed > 0 {
            bail!("{failed} of {count} cases failed");
        }
        Ok(())
    }
}
