//! The plugin configuration: bytes in, a compiled policy out, or every mistake with its JSON path. What
//! it accepts is all there is: an unknown or doubtful word is a mistake, never a default (invariant 4).

mod keys;
mod rules;
mod section;

use std::fmt;
use std::time::Duration;

use edgeward_wire::{access_token, clock, cookie, edge_feed, edge_refresh};

use crate::claims::Expected;
use crate::json::Json;
use crate::keys::KeySet;
use crate::origin::Origins;
use crate::policy::{Cookies, IdentityHeaders, Policy};

pub use section::Mistake;
use section::{Mistakes, Section};

/// Room for some thousand rules.
const MAX_BYTES: usize = 1 << 20;
/// The most methods or roles of one rule, and the most allowed origins.
const MAX_NAMES: usize = 64;

/// A configuration, compiled.
#[derive(Debug)]
pub struct Configuration {
    /// What is asked of requests.
    pub policy: Policy,
    /// The keys known from the start.
    pub keys: KeySet,
    /// Where newer keys come from, and what was revoked.
    pub feed: Option<Feed>,
    /// Where the companion is asked for a new access token.
    pub refresh: Option<Refresh>,
    /// How many verified tokens are kept in mind.
    pub memory_entries: usize,
}

/// Where the edge feed is polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Envoy's name of the companion's cluster.
    pub cluster: String,
    /// The path, without a query.
    pub path: String,
    /// From one poll to the next.
    pub poll: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// What the companion knows us by.
    pub secret: Option<Secret>,
    /// How old what it told may be, in seconds, before `denies_stale` counts.
    pub max_staleness_s: u64,
    /// Whether what is older lets nobody in.
    pub denies_stale: bool,
}

/// Where the companion is asked for a new access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// Envoy's name of the companion's cluster.
    pub cluster: String,
    /// The path, without a query.
    pub path: String,
    /// How long an answer may take.
    pub timeout: Duration,
    /// What the companion knows us by.
    pub secret: Option<Secret>,
}

/// What is not to be shown (invariant 8).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one who is to know it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// Compiles a plugin configuration: JSON, at most 1 MiB.
pub fn compile(text: &[u8]) -> Result<Configuration, Vec<Mistake>> {
    let mistakes = Mistakes::default();
    match read(text, &mistakes) {
        Some(configuration) if mistakes.is_empty() => Ok(configuration),
        _ => Err(mistakes.into_vec()),
    }
}

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
    let refresh = read_refresh(&mut root);
    let origins = read_origins(&mut root, mistakes);
    let policy = Policy {
        expected,
        cookies: read_cookies(&mut root),
        headers: read_headers(&mut root),
        rules: rules::read(&mut root, mistakes),
        origins,
        cross_site_denied: root.one_of("cross_site", &["deny", "allow"]) != Some("allow"),
        login_url: read_login_url(&mut root),
        ready_path: root.path("ready_path"),
        max_staleness_s: feed.as_ref().filter(|feed| feed.denies_stale).map(|feed| feed.max_staleness_s),
        refresh_enabled: refresh.is_some(),
        max_token_bytes: match root.integer("max_token_bytes", 256..=16_384) {
            Some(bytes) => usize::try_from(bytes).ok()?,
            None => access_token::MAX_BYTES,
        },
    };
    let memory_entries =
        usize::try_from(root.integer("memory_entries", 0..=1_000_000).unwrap_or(65_536)).ok()?;
    root.end();
    Some(Configuration { policy, keys, feed, refresh, memory_entries })
}

fn read_sources(root: &mut Section<'_, '_>, mistakes: &Mistakes) -> (KeySet, Option<Feed>) {
    let (has_keys, has_feed) = (root.has("keys"), root.has("feed"));
    let keys = keys::read(root, mistakes);
    if !has_keys && !has_feed {
        mistakes.add("", "needs `keys` or `feed`: without them no token could ever be verified");
    } else if !has_feed && keys.as_ref().is_some_and(KeySet::is_empty) {
        mistakes.add("keys.inline.keys", "must not be empty where there is no feed");
    }
    (keys.unwrap_or_default(), read_feed(root))
}

fn read_feed(root: &mut Section<'_, '_>) -> Option<Feed> {
    let mut section = root.section("feed")?;
    let max_staleness_s =
        section.integer("max_staleness_seconds", 1..=86_400).unwrap_or(edge_feed::DEFAULT_MAX_STALENESS_S);
    let denies = section.one_of("when_stale", &["allow", "deny"]) == Some("deny");
    let feed = Feed {
        cluster: section.required_text("cluster").unwrap_or_default(),
        path: section.path("path").unwrap_or_else(|| edge_feed::PATH.to_owned()),
        poll: millis(section.integer("poll_ms", 100..=60_000), 1000),
        timeout: millis(section.integer("timeout_ms", 10..=60_000), 1000),
        secret: section.text("secret").map(Secret),
        max_staleness_s: max_staleness_s.into(),
        denies_stale: denies,
    };
    section.end();
    Some(feed)
}

fn millis(given: Option<u32>, default: u32) -> Duration {
    Duration::from_millis(given.unwrap_or(default).into())
}

fn read_cookies(root: &mut Section<'_, '_>) -> Cookies {
    let mut cookies = Cookies { access: cookie::ACCESS.to_owned(), refresh: cookie::REFRESH.to_owned() };
    let Some(mut section) = root.section("cookies") else { return cookies };
    cookies.access = section.http_token("access").unwrap_or(cookies.access);
    cookies.refresh = section.http_token("refresh").unwrap_or(cookies.refresh);
    if cookies.access == cookies.refresh {
        section.mistake("refresh", "must differ from access");
    }
    section.end();
    cookies
}

/// Headers that HTTP, a browser or a proxy uses in its own way, and beginnings of such.
const TAKEN_HEADERS: &[&str] = &[
    "accept",
    "authorization",
    "cache-control",
    "connection",
    "content-",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "from",
    "host",
    "if-",
    "keep-alive",
    "origin",
    "proxy-",
    "range",
    "referer",
    "sec-",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-envoy-",
    "x-forwarded-",
    "x-request-id",
];

fn read_headers(root: &mut Section<'_, '_>) -> IdentityHeaders {
    let mut section = root.section("headers");
    let mut names: Vec<String> = Vec::new();
    let mut name = |member: &str, default: &str| {
        let Some(section) = &mut section else { return default.to_owned() };
        let name =
            section.http_token(member).map_or_else(|| default.to_owned(), |name| name.to_ascii_lowercase());
        let folded = name.replace('_', "-");
        let is_taken = |taken: &&str| folded == *taken || taken.ends_with('-') && folded.starts_with(*taken);
        if TAKEN_HEADERS.iter().any(is_taken) {
            section.mistake(member, "must not be a header that HTTP or a proxy uses");
        }
        if names.contains(&folded) {
            section.mistake(member, "must differ from the other headers (`_` and `-` are the same)");
        }
        names.push(folded);
        name
    };
    let headers = IdentityHeaders {
        user_id: name("user_id", "x-user-id"),
        role: name("role", "x-user-role"),
        session_id: name("session_id", "x-session-id"),
    };
    if let Some(section) = section {
        section.end();
    }
    headers
}

/// Where browsers log in: a path of the gateway, or a page elsewhere.
fn read_login_url(root: &mut Section<'_, '_>) -> Option<String> {
    let url = root.text("login_url")?;
    let ours = url.starts_with('/') && !url.starts_with("//");
    let elsewhere =
        url.strip_prefix("https://").or(url.strip_prefix("http://")).is_some_and(|rest| !rest.is_empty());
    if !(ours || elsewhere) || url.contains(['?', '#', '\\', ' ']) {
        root.mistake("login_url", "must be a path or an http(s) URL, without query and fragment");
    }
    Some(url)
}

/// The origins besides our own whose pages may send unsafe requests.
fn read_origins(root: &mut Section<'_, '_>, mistakes: &Mistakes) -> Origins {
    let listed = root.list("allowed_origins", 1..=MAX_NAMES).unwrap_or_default();
    let read = |(path, item): (String, Json<'_>)| match item {
        Json::String(text) => text
            .parse()
            .map_err(|invalid| {
                mistakes.add(&path, format!("is not an origin such as \"https://app.example\": {invalid}"));
            })
            .ok(),
        other => {
            mistakes.add(&path, format!("must be a string, not {}", other.kind()));
            None
        }
    };
    Origins::new(listed.into_iter().filter_map(read).collect())
}

/// Where the companion is asked for a new access token.
fn read_refresh(root: &mut Section<'_, '_>) -> Option<Refresh> {
    let mut section = root.section("refresh")?;
    let refresh = Refresh {
        cluster: section.required_text("cluster").unwrap_or_default(),
        path: section.path("path").unwrap_or_else(|| edge_refresh::PATH.to_owned()),
        timeout: millis(section.integer("timeout_ms", 10..=60_000), 2000),
        secret: section.text("secret").map(Secret),
    };
    section.end();
    Some(refresh)
}

#[cfg(test)]
mod tests;
