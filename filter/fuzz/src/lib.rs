//! Properties of the filter's core for any bytes: one function for each fuzz target. libFuzzer calls the targets with random
//! inputs, and `cargo test` with the seed corpus. A property that fails panics.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a panic is how a target says that a property failed"
)]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::gate::Gate;
use edgeward_filter::keys::KeySet;
use edgeward_filter::path::CanonicalPath;
use edgeward_filter::policy::Policy;
use edgeward_filter::request::Request;
use edgeward_filter::rs256::{self, Backend};
use edgeward_filter::token_cache::TokenCache;
use edgeward_filter::verdict::{Pass, Verdict};
use edgeward_filter::{config, cookie};
use edgeward_filter_wasm::pairs::{self, Pairs};
use edgeward_wire::{Jwk, JwkSet};

/// Time of all decisions, in seconds since 1970.
pub const NOW: u64 = 1_800_000_000;

/// Fuzz target. It panics if its property fails.
pub type Target = fn(&[u8]);

/// Targets by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("path", path),
    ("cookie", cookie),
    ("token", token),
    ("jwks", jwks),
    ("configuration", configuration),
    ("feed", feed),
    ("gate", gate),
];

/// Checks that a canonical path is its own canonical spelling and has nothing ambiguous in it.
pub fn path(target: &[u8]) {
    let Ok(path) = CanonicalPath::read(target) else { return };
    let spelling = path.as_str().as_bytes();
    assert_eq!(CanonicalPath::read(spelling).as_ref(), Ok(&path));
    assert!(spelling.starts_with(b"/") && spelling.is_ascii());
    for doubtful in [&b"//"[..], b"/./", b"/../", b"\\", b";", b"%2F", b"%5C", b"%00", b"?", b"#"] {
        assert!(
            !spelling.windows(doubtful.len()).any(|part| part == doubtful),
            "{}",
            spelling.escape_ascii()
        );
    }
}

/// Checks that exactly our cookies are removed from a header, and that every other byte stays but leading spaces.
pub fn cookie(header: &[u8]) {
    const OURS: [&str; 2] = ["access_token", "refresh_token"];
    let found = OURS.map(|name| cookie::find([header], name));
    let mut room = Vec::new();
    let left = cookie::without(header, &OURS, &mut room);
    assert_eq!(left.is_none(), found.iter().all(|found| *found == Ok(None)));
    let Some(left) = left else { return };
    assert!(OURS.iter().all(|name| cookie::find([left], name) == Ok(None)));
    let is_ours = |pair: &&[u8]| {
        let name = pair.split(|&byte| byte == b'=').next().unwrap_or_default().trim_ascii();
        pair.contains(&b'=') && OURS.iter().any(|ours| ours.as_bytes() == name)
    };
    let others: Vec<&[u8]> = header.split(|&byte| byte == b';').filter(|pair| !is_ours(pair)).collect();
    assert_eq!(left, others.join(&b';').trim_ascii_start());
}

/// Backend that accepts one signature, [`MARK`].
struct Marked;

/// Only valid signature.
const MARK: &[u8] = b"signed";

impl Backend for Marked {
    fn verify(_: &[u8], _: &[u8], signature: &[u8]) -> bool {
        signature == MARK
    }
}

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    rs256::install::<Marked>();
    let jwk = Jwk {
        kty: "RSA".to_owned(),
        kid: Some("a".to_owned()),
        n: Some(format!("{}w", "_".repeat(341))),
        e: Some("AQAB".to_owned()),
        ..Jwk::default()
    };
    KeySet::read(&JwkSet { keys: vec![jwk] }).unwrap_or_else(|invalid| panic!("{invalid}"))
});

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let text = br#"{"issuer": "edgeward", "feed": {"cluster": "c"}, "refresh": {"cluster": "c"}, "login_url": "/login",
        "headers": {"auth_time": "x-auth-time", "amr": "x-amr"}, "rules": [
        {"prefix": "/public", "access": "public"}, {"prefix": "/admin", "roles": ["admin"]},
        {"prefix": "/billing", "max_auth_age_seconds": 300, "require": ["mfa"]}]}"#;
    config::compile(text).map_or_else(|mistakes| panic!("{mistakes:?}"), |configuration| configuration.policy)
});

/// Decides on a request twice, with the same result. The parts of an identity must be valid in headers.
fn decide(headers: &[(&[u8], &[u8])]) -> Verdict {
    let (state, cache) = (EdgeState::new(KEYS.clone(), NOW), TokenCache::new(2, 1, [7; 16]));
    let request = Request::new(headers.iter().copied(), true);
    let gate = Gate { policy: &POLICY, state: &state, cache: &cache, now: NOW };
    let verdict = gate.decide(&request);
    // A cached token is judged as before.
    assert_eq!(gate.decide(&request), verdict);
    match &verdict {
        Verdict::Pass(Pass { identity: Some(identity), .. }) => {
            assert!((1..10_u64.pow(19)).contains(&identity.user_id()));
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
            assert!((1..=64).contains(&identity.role().len()) && identity.role().bytes().all(plain));
            assert!(identity.methods().bytes().all(|byte| plain(byte) || byte == b','));
        }
        Verdict::Reply(reply) => {
            let located = reply.headers.iter().find(|(name, _)| *name == "location");
            assert!(located.is_none_or(|(_, location)| {
                location.starts_with("/login?return_to=")
                    && location.bytes().all(|byte| byte.is_ascii_graphic())
            }));
        }
        _ => {}
    }
    verdict
}

/// Checks the bytes as a whole token, which is no identity without a signature, and as the payload of a signed token, whose
/// identity must be valid in headers.
pub fn token(bytes: &[u8]) {
    let whole = [b"access_token=", bytes].concat();
    let headers: [(&[u8], &[u8]); 3] = [(b":method", b"GET"), (b":path", b"/x"), (b"cookie", &whole)];
    if let Verdict::Pass(_) = decide(&headers) {
        // The text after a semicolon is another cookie.
        let value = bytes.split(|&byte| byte == b';').next().unwrap_or_default();
        let signature = value.rsplit(|&byte| byte == b'.').next().unwrap_or_default().trim_ascii();
        assert_eq!(URL_SAFE_NO_PAD.decode(signature).as_deref(), Ok(MARK));
    }
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let header = part(br#"{"alg":"RS256","typ":"at+jwt","kid":"a"}"#);
    let signed = format!("access_token={header}.{}.{}", part(bytes), part(MARK));
    let headers: [(&[u8], &[u8]); 3] =
        [(b":method", b"GET"), (b":path", b"/x"), (b"cookie", signed.as_bytes())];
    let _ = decide(&headers);
}

/// Checks that a JWK set is read whole or rejected.
pub fn jwks(text: &[u8]) {
    let Ok(set) = serde_json::from_slice::<JwkSet>(text) else { return };
    if let Ok(keys) = KeySet::read(&set) {
        assert_eq!(keys.len(), set.keys.len());
    }
}

/// Checks that a configuration compiles, or that its mistakes are named.
pub fn configuration(text: &[u8]) {
    match config::compile(text) {
        Err(mistakes) => {
            assert!(mistakes.iter().all(|mistake| !mistake.to_string().is_empty()) && !mistakes.is_empty());
        }
        Ok(configuration) => {
            assert!(configuration.feed.is_some() || !configuration.keys.is_empty());
            assert_eq!(configuration.policy.rules.unreachable().count(), 0);
        }
    }
}

/// Checks that a response of the feed is applied whole, and can be applied again, or changes nothing.
pub fn feed(body: &[u8]) {
    let mut edge_state = EdgeState::syncing(KeySet::default(), NOW);
    if edge_state.apply(body, NOW).is_ok() {
        assert!(!edge_state.keys().is_empty() && !edge_state.cursor().is_empty());
        let known = format!("{edge_state:?}").len();
        assert!(edge_state.apply(body, NOW).is_ok());
        assert_eq!(format!("{edge_state:?}").len(), known);
    } else {
        assert!(
            edge_state.keys().is_empty()
                && edge_state.cursor().is_empty()
                && edge_state.revocations().is_empty()
        );
    }
}

/// Checks the bytes as headers, one a line as `name: value`: no identity reaches a protected path without a signature, or one
/// that demands a recent authentication without that. And as the serialised headers of a proxy-wasm host, which are read and
/// written alike.
pub fn gate(lines: &[u8]) {
    if let Some(read) = Pairs::read(lines) {
        let written = pairs::write(read.clone());
        let again = Pairs::read(&written).unwrap_or_else(|| panic!("written fields cannot be read"));
        assert!(again.eq(read));
    }
    let headers: Vec<(&[u8], &[u8])> = lines
        .split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let at = line.windows(2).position(|pair| pair == b": ")?;
            Some((line.get(..at)?, line.get(at + 2..)?))
        })
        .collect();
    let signed = lines.windows(8).any(|part| part == URL_SAFE_NO_PAD.encode(MARK).as_bytes());
    let first = |name: &[u8]| headers.iter().find(|(this, _)| *this == name).map(|(_, value)| *value);
    let is_below = |prefix: &str| {
        let target = first(b":path").unwrap_or_default();
        CanonicalPath::read(target).unwrap().as_str().starts_with(prefix)
    };
    match decide(&headers) {
        Verdict::Pass(Pass { identity: Some(identity), .. }) => {
            assert!(signed);
            let is_recent =
                identity.authenticated_at().is_some_and(|at| (NOW - 300..=NOW + 60).contains(&at));
            let has_factors = identity.methods().split(',').any(|method| method == "mfa");
            assert!(!is_below("/billing/") || is_recent && has_factors);
        }
        Verdict::Pass(_) => {
            let public = is_below("/public");
            assert!(public || first(b":method") == Some(b"OPTIONS"));
        }
        Verdict::Reply(_) | Verdict::Hold(_) => {}
    }
}
