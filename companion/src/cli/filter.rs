//! `edgeward filter check|explain|test`: the filter's core, run offline on a configuration and on requests.

use std::time::UNIX_EPOCH;

use clap::Subcommand;
use time::OffsetDateTime;

mod cases;
mod check;
mod curl;
mod explain;
mod keys;
mod render;
mod request_head;
mod source;
mod test;
mod test_user;
mod yaml;

#[derive(Subcommand)]
pub(super) enum Filter {
    /// Check a configuration of the filter, as the plugin does when it loads one
    ///
    /// FILE is the JSON itself, or an Envoy configuration (YAML or JSON) that has it in one or several plugins.
    Check(check::Check),
    /// Explain what the filter does with a request, and why
    ///
    /// The request is given by --method, --path and --header, or as a curl command. A token in it is shown by its
    /// claims, never as a whole.
    Explain(Box<explain::Explain>),
    /// Test requests against a configuration, by a file of expected verdicts
    Test(test::Test),
}

impl Filter {
    pub(super) fn run(self, now: OffsetDateTime) -> anyhow::Result<()> {
        let now = u64::try_from((now - OffsetDateTime::from(UNIX_EPOCH)).whole_seconds()).unwrap_or(0);
        match self {
            Self::Check(check) => check.run(),
            Self::Explain(explain) => explain.run(now),
            Self::Test(test) => test.run(now),
        }
    }
}
