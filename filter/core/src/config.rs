//! Plugin configuration: JSON becomes a compiled policy, or a list of mistakes with their JSON paths. An unknown or
//! doubtful member is a mistake and never falls back to a default (invariant 4).

mod bans;
mod cookies;
mod feed;
mod headers;
mod keys;
mod login_url;
mod origins;
mod refresh;
mod rules;
mod secret;
mod section;

use std::time::Duration;

use edgeward_wire::{access_token, clock};

pub use feed::Feed;
pub use refresh::Refresh;
pub use secret::Secret;
pub use section::Mistake;

use crate::claims::Expected;
use crate::json::Json;
use crate::keys::KeySet;
use crate::policy::Policy;
use section::{Mistakes, Section};

/// Maximum length of a configuration, in bytes. Chosen: enough for some thousand rules.
const MAX_BYTES: usize = 1 << 20;
/// Maximum number of methods or roles of one rule, and of allowed origins. Chosen: more than a service has.
const MAX_NAMES: usize = 64;
/// Default of `memory_entries`.
const DEFAULT_TOKEN_CACHE_ENTRIES: u32 = 65_536;

/// Compiled configuration.
#[derive(Debug)]
pub struct Configuration {
    /// Rules and limits for requests.
    pub policy: Policy,
    /// Keys of the configuration itself; empty if it has none.
    pub keys: KeySet,
    /// Source of newer keys and of revocations; absent if the section is.
    pub feed: Option<Feed>,
    /// Source of new access tokens; absent if the section is.
    pub refresh: Option<Refresh>,
    /// Maximum number of cached tokens of a worker (`memory_entries`).
    pub token_cache_entries: usize,
}

/// Compiles a plugin configuration: JSON of at most 1 MiB.
///
/// # Errors
/// [`Mistake`]s, all that were found; at least one.
pub fn compile(text: &[u8]) -> Result<Configuration, Vec<Mistake>> {
    let mistakes = Mistakes::default();
    match read(text, &mistakes) {
        Some(configuration) if mistakes.is_empty() => Ok(configuration),
        _ => Err(mistakes.into_vec()),
    }
}

/// Reads the whole configuration. Returns `None` only if a mistake was added.
fn read(text: &[u8], mistakes: &Mistakes) -> Option<Configuration> {
    if text.len() > MAX_BYTES {
        mistakes.add("", format!("has {} bytes, and at most {MAX_BYTES} are allowed", text.len()));
        return None;
    }
    let json = Json::parse(text).map_err(|error| mistakes.add("", format!("is not JSON: {error}"))).ok()?;
    let mut root = Section::open(json, String::new(), mistakes)?;
    let expected = Expected {
        issuer: root.required_text("issuer").unwrap_or_default(),
        audience: root.text("audience").unwrap_or_else(|| access_token::DEFAULT_AUDIENCE.to_owned()),
        clock_skew_s: root
            .integer("clock_skew_seconds", 0..=clock::MAX_SKEW_S)
            .unwrap_or(clock::DEFAULT_SKEW_S)
            .into(),
    };
    let (keys, feed) = read_sources(&mut root, mistakes);
    let refresh = refresh::read(&mut root);
    let origins = origins::read(&mut root, mistakes);
    let policy = Policy {
        expected,
        cookies: cookies::read(&mut root),
        headers: headers::read(&mut root),
        rules: rules::read(&mut root, mistakes),
        origins,
        cross_site_denied: root.one_of("cross_site", &["deny", "allow"]) != Some("allow"),
        login_url: login_url::read(&mut root),
        ready_path: root.path("ready_path"),
        max_staleness_s: feed.as_ref().filter(|feed| feed.denies_stale).map(|feed| feed.max_staleness_s),
        refresh_enabled: refresh.is_some(),
        attempt_paths: bans::read(&mut root),
        max_token_bytes: match root.integer("max_token_bytes", 256..=16_384) {
            Some(bytes) => usize::try_from(bytes).ok()?,
            None => access_token::MAX_BYTES,
        },
    };
    let entries = root.integer("memory_entries", 0..=1_000_000).unwrap_or(DEFAULT_TOKEN_CACHE_ENTRIES);
    let token_cache_entries = usize::try_from(entries).ok()?;
    root.reject_unknown();
    Some(Configuration { policy, keys, feed, refresh, token_cache_entries })
}

/// Reads `keys` and `feed`, one of which must bring keys.
fn read_sources(root: &mut Section<'_, '_>, mistakes: &Mistakes) -> (KeySet, Option<Feed>) {
    let (has_keys, has_feed) = (root.has("keys"), root.has("feed"));
    let keys = keys::read(root, mistakes);
    if !has_keys && !has_feed {
        mistakes.add("", "needs `keys` or `feed`: without them no token could ever be verified");
    } else if !has_feed && keys.as_ref().is_some_and(KeySet::is_empty) {
        mistakes.add("keys.inline.keys", "must not be empty where there is no feed");
    }
    (keys.unwrap_or_default(), feed::read(root))
}

/// Returns a duration of `given` milliseconds, or else of `default`.
fn millis(given: Option<u32>, default: u32) -> Duration {
    Duration::from_millis(given.unwrap_or(default).into())
}

#[cfg(test)]
mod tests;
