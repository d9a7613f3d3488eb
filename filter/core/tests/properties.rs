//! Properties of the core for random paths, cookies and tokens. No token becomes an identity unless the mint signed it.

#![expect(clippy::unwrap_used, reason = "a test reports a failure by a panic")]

use std::sync::LazyLock;

use edgeward_filter::config;
use edgeward_filter::cookie;
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::gate::Gate;
use edgeward_filter::path::CanonicalPath;
use edgeward_filter::policy::Policy;
use edgeward_filter::request::Request;
use edgeward_filter::rs256::{self, SoftwareRsa};
use edgeward_filter::token_cache::TokenCache;
use edgeward_filter::verdict::Verdict;
use edgeward_kit::mint::{self, Key};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

const NOW: u64 = 1_800_000_000;
const OURS: [&str; 2] = ["access_token", "refresh_token"];

/// Gateway that knows two keys, and tokens that these keys signed.
struct Gateway {
    policy: Policy,
    edge_state: EdgeState,
    signed: Vec<String>,
}

static GATEWAY: LazyLock<Gateway> = LazyLock::new(gateway);

fn gateway() -> Gateway {
    rs256::install::<SoftwareRsa>();
    let keys = [Key::generate("a"), Key::generate("b")];
    let text = json!({"issuer": mint::NAME, "keys": {"inline": mint::jwks(&[&keys[0], &keys[1]])}});
    let configuration = config::compile(text.to_string().as_bytes()).unwrap();
    let bad = mint::bad_tokens(&keys[0], &keys[1], NOW).into_iter().map(|bad| bad.token);
    let good = keys.iter().map(|key| key.good(NOW));
    Gateway {
        policy: configuration.policy,
        edge_state: EdgeState::new(configuration.keys, NOW),
        signed: good.chain(bad.take(20)).collect(),
    }
}

fn is_identified(token: &[u8]) -> bool {
    let cookie = [b"access_token=", token].concat();
    let headers: [(&[u8], &[u8]); 3] = [(b":method", b"GET"), (b":path", b"/x"), (b"cookie", &cookie)];
    let request = Request::new(headers, true);
    let cache = &TokenCache::new(8, 1, [7; 16]);
    let decide =
        || Gate { policy: &GATEWAY.policy, state: &GATEWAY.edge_state, cache, now: NOW }.decide(&request);
    let (first, again) = (decide(), decide());
    assert_eq!(first, again);
    matches!(first, Verdict::Pass(_))
}

/// Returns `Cookie` header values with our cookies and with names that look like theirs.
fn cookie_header() -> impl Strategy<Value = Vec<u8>> {
    const NAMES: [&str; 9] =
        ["access_token", "refresh_token", "access_tokens", "Access_Token", "a", "", " ", "\"", "\u{e9}"];
    let pair = (select(&NAMES[..]), select(&["=", " = ", "", "=="][..]), "[ -~]{0,6}");
    let pairs = prop::collection::vec(pair, 0..8);
    (pairs, select(&["; ", ";", ";;", " ;\t"][..])).prop_map(|(pairs, separator)| {
        let pairs: Vec<String> =
            pairs.into_iter().map(|(name, equals, value)| format!("{name}{equals}{value}")).collect();
        pairs.join(separator).into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_canonical_path_is_its_own_canonical_spelling(target in "/([a-zA-Z0-9./%;|~ -]|%[0-9a-fA-F]{2}){0,24}") {
        if let Ok(path) = CanonicalPath::read(target.as_bytes()) {
            prop_assert_eq!(&CanonicalPath::read(path.as_str().as_bytes()), &Ok(path.clone()));
        }
    }

    // holds: promise 4
    #[test]
    fn exactly_our_cookies_are_removed(header in cookie_header()) {
        let is_ours = |pair: &&[u8]| {
            pair.contains(&b'=')
                && OURS.iter().any(|name| pair.split(|&byte| byte == b'=').next().unwrap().trim_ascii() == name.as_bytes())
        };
        let pairs = || header.split(|&byte| byte == b';');
        match cookie::without(&header, &OURS, &mut Vec::new()) {
            None => prop_assert!(!pairs().any(|pair| is_ours(&pair))),
            Some(left) => {
                let others: Vec<&[u8]> = pairs().filter(|pair| !is_ours(pair)).collect();
                let others = others.join(&b';');
                prop_assert_eq!(left, others.trim_ascii_start());
                prop_assert!(cookie::without(left, &OURS, &mut Vec::new()).is_none());
            }
        }
    }

    // holds: invariant 2, promise 1
    #[test]
    fn token_that_differs_in_any_byte_from_a_signed_one_is_rejected(
        which in any::<Index>(), at in any::<Index>(), byte in any::<u8>(), cut in any::<Index>(), mode in 0..4_u8,
    ) {
        let signed = which.get(&GATEWAY.signed).as_bytes();
        let mut token = signed.to_vec();
        let (at, cut) = (at.index(token.len()), cut.index(token.len()));
        match mode {
            0 => token[at] = byte,
            1 => token.insert(at, byte),
            2 => drop(token.drain(at.min(cut)..at.max(cut))),
            _ => token.extend_from_slice(&signed[cut..]),
        }
        // White space around a cookie's value, and the text after a semicolon, do not belong to the token.
        let value = token.split(|&byte| byte == b';').next().unwrap().trim_ascii();
        let unchanged = GATEWAY.signed.iter().any(|signed| signed.as_bytes() == value);
        prop_assert_eq!(is_identified(&token), unchanged && is_identified(value));
        prop_assert!(unchanged || !is_identified(&token));
    }

    // holds: invariant 2, promise 1
    #[test]
    fn segments_of_different_tokens_make_no_valid_token(parts in prop::collection::vec(any::<(Index, Index)>(), 3)) {
        let segments = parts.iter().map(|(which, at)| {
            let segments: Vec<&str> = which.get(&GATEWAY.signed).split('.').collect();
            segments[at.index(segments.len())]
        });
        let token = segments.collect::<Vec<_>>().join(".");
        prop_assert!(!is_identified(token.as_bytes()) || GATEWAY.signed.contains(&token));
    }
}
