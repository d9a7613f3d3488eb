//! Cost of a request in the compiled filter, in instructions. It is the same on every machine, and is compared with the record
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

/// Maximum difference from the record, in percent. A change without an effect on the filter can change what the compiler
/// inlines: when the filter moved to crates of its own, a public request cost 2.0 % more and the others at most 1.1 %.
const TOLERANCE: u64 = 3;
/// Environment variable that makes the test write the record.
const RECORD: &str = "EDGEWARD_RECORD_COST";
/// Command that writes the record.
const COMMAND: &str = "EDGEWARD_RECORD_COST=1 cargo xtask test --test wasm_cost";
/// Number of requests of each kind before the measurement. Chosen: tables and the allocator's lists have grown by then.
const WARM_UP: u64 = 64;
/// Number of measured requests of each kind. Their median excludes the requests at which a table grows.
const MEASURED: u64 = 33;

const HEAD: &str = "\
# Instructions of one request in the compiled filter (fuel of wasmtime): all callbacks of its stream, without the host calls.
# tests/system/tests/wasm_cost.rs compares each build with them, and writes them with:
#
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

fn render(costs: &BTreeMap<String, u64>) -> String {
    let mut text = format!("{HEAD}#     {COMMAND}\n\n");
    for (name, cost) in costs {
        writeln!(text, "{name} = {cost}").unwrap();
    }
    text
}

fn recorded() -> BTreeMap<String, u64> {
    let text = fs::read_to_string(file()).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once(" = "));
    pairs.map(|(name, cost)| (name.to_owned(), cost.parse().unwrap())).collect()
}

#[test]
fn request_costs_the_recorded_number_of_instructions() {
    let key = Key::published("a");
    let costs: BTreeMap<String, u64> =
        KINDS.iter().map(|kind| (kind.name.to_owned(), measure(&key, kind))).collect();
    if variable(RECORD).is_some() {
        fs::write(file(), render(&costs)).unwrap();
    }
    let faults = compare(&recorded(), &costs);
    assert!(faults.is_empty(), "{}: {faults}", file().display());
}

/// Compares costs with the recorded ones. Describes those that differ by more than [`TOLERANCE`], and the remedy.
fn compare(recorded: &BTreeMap<String, u64>, costs: &BTreeMap<String, u64>) -> String {
    if !recorded.keys().eq(costs.keys()) {
        return format!("the record has other kinds of requests than the test. Record the costs: {COMMAND}");
    }
    let mut faults = String::new();
    for ((name, recorded), cost) in recorded.iter().zip(costs.values()) {
        let difference = cost.abs_diff(*recorded);
        if difference * 100 <= recorded * TOLERANCE {
            continue;
        }
        let per_mille = difference * 1000 / recorded;
        let (word, remedy) = if cost > recorded {
            ("more", "Make the filter cheaper again, or, if the change is worth it, record the cost")
        } else {
            ("less", "Record the improvement, so that a later increase is noticed")
        };
        write!(
            faults,
            "\n  {name} costs {cost} instructions, {}.{} % {word} than the {recorded} of the record (at most \
             {TOLERANCE} % pass). {remedy}: {COMMAND}",
            per_mille / 10,
            per_mille % 10
        )
        .unwrap();
    }
    faults
}

#[test]
fn cost_beyond_the_tolerance_fails_in_either_direction() {
    let record = |cost| BTreeMap::from([("seen_token".to_owned(), cost)]);
    for (cost, expected) in [
        (970, ""),
        (1030, ""),
        (969, "3.1 % less than the 1000 of the record"),
        (1031, "3.1 % more than the 1000 of the record"),
    ] {
        let faults = compare(&record(1000), &record(cost));
        assert!(faults.contains(expected) && faults.is_empty() == expected.is_empty(), "{cost}: {faults}");
        assert!(expected.is_empty() || faults.contains(COMMAND), "{cost}: {faults}");
    }
    assert!(compare(&BTreeMap::new(), &record(1000)).contains("other kinds of requests"));
}
