//! `edgeward filter explain`: one request, decided by the core, and the reasons.

use std::mem;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use edgeward_filter::config::Configuration;
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::keys::KeySet;

use super::render::{KeySource, Renderer};
use super::request_head::RequestHead;
use super::test_user::{TestKey, TestUser};
use super::{curl, keys, source};
use crate::cli::print_line;

#[derive(Args)]
pub(in crate::cli) struct Explain {
    /// The configuration as JSON, or an Envoy configuration that has it; - for standard input
    config: PathBuf,
    /// Plugin of an Envoy configuration that has several, by its name or the line of its configuration
    #[arg(long)]
    plugin: Option<String>,
    /// Method of the request
    #[arg(long, default_value = "GET", conflicts_with = "curl")]
    method: String,
    /// Path and query of the request
    #[arg(long, required_unless_present = "curl", conflicts_with = "curl")]
    path: Option<String>,
    /// Header field of the request, as "name: value"; repeatable
    #[arg(long = "header", short = 'H', value_name = "HEADER")]
    headers: Vec<String>,
    /// The request as a curl command, such as a browser's "Copy as cURL (bash)"; - for standard input
    #[arg(long, value_name = "COMMAND")]
    curl: Option<String>,
    /// File of the JWK set that signatures are checked with, as `edgeward keys jwk` prints it
    #[arg(long, value_name = "JWKS_FILE", conflicts_with_all = ["as_user", "skip_signature"])]
    keys: Option<PathBuf>,
    /// Take the token's signature for valid, without a check
    #[arg(long, conflicts_with = "as_user")]
    skip_signature: bool,
    /// User of the request, in place of its access token: role=admin[,user=42][,session=7][,expired][,refresh]
    #[arg(long = "as", value_name = "USER")]
    as_user: Option<TestUser>,
    /// Time of the request, in seconds since 1970; now by default
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=LATEST))]
    now: Option<u64>,
}

/// Latest time that can be given: the end of the year 9999.
const LATEST: u64 = 253_402_300_799;

impl Explain {
    pub(super) fn run(self, now: u64) -> anyhow::Result<()> {
        let now = self.now.unwrap_or(now);
        let source = source::read_one(&self.config, self.plugin.as_deref())?;
        let mut configuration = source.compile_or_explain()?;
        let mut head = self.head()?;
        let (keys, key_source) = self.choose_keys(&mut configuration, &mut head, now)?;
        let policy = &configuration.policy;
        let explanation = head.explain(policy, &EdgeState::new(keys, now), now);
        let renderer = Renderer {
            policy,
            rules: &source.rules(),
            head: &head,
            explanation: &explanation,
            key_source,
            now,
        };
        renderer.lines().iter().try_for_each(print_line)
    }

    fn head(&self) -> anyhow::Result<RequestHead> {
        let mut head = match (&self.curl, &self.path) {
            (Some(command), _) => {
                let command = if command == "-" {
                    std::io::read_to_string(std::io::stdin()).context("standard input cannot be read")?
                } else {
                    command.clone()
                };
                curl::parse(&command).context("--curl is not understood")?
            }
            (None, path) => RequestHead::new(&self.method, path.as_deref().unwrap_or_default()),
        };
        for (at, header) in self.headers.iter().enumerate() {
            match header.split_once(':') {
                Some((name, value)) if !name.trim().is_empty() => head.push(name, value),
                // Its value may be a secret, which is not repeated here.
                _ => bail!("--header number {} is not \"name: value\"", at + 1),
            }
        }
        Ok(head)
    }

    /// Returns the keys that the request's token is verified with.
    fn choose_keys(
        &self,
        configuration: &mut Configuration,
        head: &mut RequestHead,
        now: u64,
    ) -> anyhow::Result<(KeySet, KeySource)> {
        let policy = &configuration.policy;
        if let Some(user) = &self.as_user {
            keys::check_signatures();
            let key = TestKey::generate()?;
            key.sign_in(head, user, policy, now)?;
            return Ok((key.verifying()?, KeySource::TestUser));
        }
        if let Some(file) = &self.keys {
            keys::check_signatures();
            return Ok((keys::read(file)?, KeySource::File));
        }
        let token = head.access_token(&policy.cookies);
        if self.skip_signature || configuration.keys.is_empty() && token.is_none() {
            return Ok((keys::assume_signatures(token)?, KeySource::Skipped));
        }
        if configuration.keys.is_empty() {
            bail!(
                "the request has an access token, and the configuration has no keys.inline to check its signature with: give the companion's keys by --keys (`edgeward keys jwk` prints them), or --skip-signature"
            );
        }
        keys::check_signatures();
        let has_feed = configuration.feed.is_some();
        Ok((mem::take(&mut configuration.keys), KeySource::Configuration { has_feed }))
    }
}
