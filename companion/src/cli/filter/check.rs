//! `edgeward filter check`: every mistake of a configuration, or a summary of it.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use edgeward_filter::config::Configuration;
use serde_json::Value;

use super::source::{self, Source};
use crate::cli::print_line;

#[derive(Args)]
pub(in crate::cli) struct Check {
    /// The configuration as JSON, or an Envoy configuration that has it; - for standard input
    file: PathBuf,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut mistakes = 0_usize;
        for source in source::read(&self.file)? {
            match source.compile() {
                Ok(configuration) => {
                    print_line(format_args!("{}: {}", source.place, summary(&source, &configuration)))?;
                }
                Err(found) => {
                    for mistake in &found {
                        print_line(format_args!("{}: {mistake}", source.place))?;
                    }
                    mistakes += found.len();
                }
            }
        }
        match mistakes {
            0 => Ok(()),
            1 => bail!("1 mistake: the plugin does not load this configuration"),
            _ => bail!("{mistakes} mistakes: the plugin does not load this configuration"),
        }
    }
}

fn summary(source: &Source, configuration: &Configuration) -> String {
    let rules: Vec<Value> =
        source.rules().iter().filter_map(|rule| serde_json::from_str(rule).ok()).collect();
    let public = rules.iter().filter(|rule| rule["access"] == "public").count();
    let of_roles = rules.iter().filter(|rule| rule["roles"].is_array()).count();
    let feed = match &configuration.feed {
        Some(feed) => format!("feed of {} every {} ms", feed.cluster, feed.poll.as_millis()),
        None => "no feed, so nothing is revoked before it expires".to_owned(),
    };
    let keys = match configuration.keys.len() {
        0 => String::new(),
        1 => "; 1 inline key".to_owned(),
        count => format!("; {count} inline keys"),
    };
    let refresh = match &configuration.refresh {
        Some(refresh) => format!("refresh by {}", refresh.cluster),
        None => "no refresh".to_owned(),
    };
    format!(
        "good: {} rules ({public} public, {} signed in, {of_roles} for roles); {feed}{keys}; {refresh}",
        rules.len(),
        rules.len() - public - of_roles,
    )
}
