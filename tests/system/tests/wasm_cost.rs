//! Cost of a request in the compiled filter, in instructions: the same on every machine, and compared with what is recorded
//! in `wasm_cost.toml`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use edgeward_kit::host::edge::{ENVOY, NOW, OTHER_PROXY, configuration, headers};
use edgeward_kit::host::{Headers, Host, Traits};
use edgeward_kit::mint::{self, Key};
use edgeward_stack::{paths, variable};
use serde_json::json;

/// Difference from the record that passes, in percent. A change that is none to the filter moves what the compiler inlines:
/// when the filter moved to crates of its own, a public request took 2.0 % more and the others at most 1.1 %.
const TOLERANCE: u64 = 3;
/// Number of requests of each kind that are not measured. Chosen: the tables and the allocator's lists have grown by then.
const WARM_UP: u64 = 64;
/// Number of requests of each kind of which the median is taken. It leaves out those that let a table grow.
const MEASURED: u64 = 33;

const HEAD: &str = "\
# Instructions that one request takes in the compiled filter (fuel of wasmtime): all callbacks of its stream, without the host.
# tests/system/tests/wasm_cost.rs compares. After a change that is meant to cost this much:
#
#     EDGEWARD_RECORD_COST=1 cargo xtask test --test wasm_cost
";

/// Kind of request.
struct Kind {
    /// Name in the record.
    name: &'static str,
    traits: Traits,
    path: &'static str,
    /// Returns the cookie of a request by its number.
    cookie: fn(&Key, u64) -> String,
    passes: bool,
}

const KINDS: [Kind; 5] = [
    Kind { name: "seen_token", traits: ENVOY, path: "/orders", cookie: |key, _| token(key, 0), passes: true },
    Kind { name: "new_token", traits: ENVOY, path: "/orders", cookie: token, passes: true },
    Kind {
        name: "new_token_without_verify_signature",
        traits: OTHER_PROXY,
        path: "/orders",
        cookie: token,
        passes: true,
    },
    Kind {
        name: "public_route",
        traits: ENVOY,
        path: "/public/",
        cookie: |_, _| NO_TOKEN.to_owned(),
        passes: true,
    },
    Kind {
        name: "rejected",
        traits: ENVOY,
        path: "/orders",
        cookie: |_, _| NO_TOKEN.to_owned(),
        passes: false,
    },
];
const NO_TOKEN: &str = "consent=yes";

/// Returns a cookie of one of many sessions. Its length does not depend on the number.
fn token(key: &Key, number: u64) -> String {
    format!("access_token={}", key.good_with(NOW, "sid", &(1000 + number).to_string()))
}

fn head(path: &str, cookie: &str) -> Headers {
    let cookie = format!("theme=dark; {cookie}; lang=en");
    headers(&[
        (":method", "GET"),
        (":path", path),
        (":authority", "shop.example"),
        (":scheme", "https"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("accept-language", "en-US,en;q=0.5"),
        ("accept-encoding", "gzip, deflate, br"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "same-origin"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-request-id", "9f1c8a52-6d1f-4c1b-9d57-0d2a8ce2a1f3"),
        ("cookie", &cookie),
    ])
}

/// Measures one kind of request in a filter of its own.
fn measure(key: &Key, kind: &Kind) -> u64 {
    let with_key = configuration(&json!({"keys": {"inline": mint::jwks(&[key])}}));
    let mut host = Host::start_metered(kind.traits, &with_key).unwrap();
    let mut costs = Vec::new();
    for number in 0..WARM_UP + MEASURED {
        let head = head(kind.path, &(kind.cookie)(key, number));
        let before = host.fuel();
        let stream = host.open(head);
        if kind.passes {
            host.respond(stream, headers(&[(":status", "200"), ("content-type", "application/json")]));
        }
        assert_eq!(host.end(stream).upstream.is_some(), kind.passes, "{}", kind.name);
        if number >= WARM_UP {
            costs.push(host.fuel() - before);
        }
    }
    costs.sort_unstable();
    costs[costs.len() / 2]
}

fn file() -> PathBuf {
    paths::root().join("tests/system/wasm_cost.toml")
}

fn recorded() -> BTreeMap<String, u64> {
    let text = fs::read_to_string(file()).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once(" = "));
    pairs.map(|(name, cost)| (name.to_owned(), cost.replace('_', "").parse().unwrap())).collect()
}

#[test]
fn request_costs_the_instructions_that_are_recorded() {
    let key = Key::published("a");
    let costs = KINDS.each_ref().map(|kind| (kind.name, measure(&key, kind)));
    if variable("EDGEWARD_RECORD_COST").is_some() {
        let lines = costs.iter().fold(String::new(), |mut text, (name, cost)| {
            writeln!(text, "{name} = {cost}").unwrap();
            text
        });
        fs::write(file(), format!("{HEAD}\n{lines}")).unwrap();
    }
    let recorded = recorded();
    assert_eq!(recorded.len(), KINDS.len(), "{}", file().display());
    let is_off = |name: &str, cost: u64| cost.abs_diff(recorded[name]) * 100 > recorded[name] * TOLERANCE;
    let off: Vec<String> = costs
        .iter()
        .filter(|(name, cost)| is_off(name, *cost))
        .map(|(name, cost)| format!("{name}: {cost} instructions, {} are recorded", recorded[*name]))
        .collect();
    assert!(
        off.is_empty(),
        "the cost of a request has changed by more than {TOLERANCE} %:\n  {}\nIf that is meant, an improvement too, record \
         it: EDGEWARD_RECORD_COST=1 cargo xtask test --test wasm_cost",
        off.join("\n  ")
    );
}
