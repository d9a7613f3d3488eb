//! Every token of the mint through the real Envoy, signed with the keys that its filter has from the companion.

use std::time::{SystemTime, UNIX_EPOCH};

use edgeward_tests::journey::{at, client, keys, stack};
use edgeward_tests::mint::{self, Key};
use reqwest::Client;

#[expect(
    clippy::disallowed_methods,
    reason = "Envoy judges tokens by the wall clock, and so they are minted by it"
)]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

async fn status(client: &Client, token: &str) -> u16 {
    let request = client.get(at("/orders")).header("cookie", format!("access_token={token}"));
    request.send().await.unwrap().status().as_u16()
}

/// How often Envoy says that the filter has refused a request for this reason.
async fn count(client: &Client, label: &str) -> u64 {
    let admin = format!("http://127.0.0.1:{}/stats/prometheus", stack().ports().envoy_admin);
    let stats = client.get(admin).send().await.unwrap().text().await.unwrap();
    let line = stats.lines().find(|line| line.contains(&format!("refused{{reason=\"{label}\"}}")));
    line.map_or(0, |line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
}

#[tokio::test]
async fn every_good_token_passes_under_the_signing_key_and_the_announced_one() {
    let client = client(false);
    for key in keys() {
        assert_eq!(status(&client, &key.good(now())).await, 200);
    }
    // The clock goes on meanwhile, so what is at an edge is left to the tests that hold it still.
    let key = &keys()[0];
    for (name, payload) in mint::good_payloads(now()).into_iter().filter(|(name, _)| !name.starts_with("exp"))
    {
        assert_eq!(status(&client, &key.token(&key.header(), &payload)).await, 200, "{name}");
    }
}

#[tokio::test]
async fn every_bad_token_is_refused_for_its_own_reason() {
    let client = client(false);
    let [key, _] = keys();
    let stranger = Key::generate(&key.kid);
    let now = now();
    for bad in mint::bad_tokens(key, &stranger, now).into_iter().filter(|bad| !bad.is_fleeting(now)) {
        let before = count(&client, bad.label).await;
        assert_eq!(status(&client, &bad.token).await, 401, "{}", bad.name);
        assert_eq!(count(&client, bad.label).await, before + 1, "{}: not {}", bad.name, bad.label);
    }
}
