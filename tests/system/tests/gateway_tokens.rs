//! Every token of the mint through the real Envoy, signed with the keys that its filter has from the companion.

use std::time::{SystemTime, UNIX_EPOCH};

use edgeward_kit::client::Client;
use edgeward_kit::journey::{client, client_at, keys, stack};
use edgeward_kit::mint::{self, Key};

#[expect(clippy::disallowed_methods, reason = "Envoy validates tokens by the wall clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

async fn status(client: &mut Client, token: &str) -> u16 {
    client.cookies.insert("access_token".to_owned(), token.to_owned());
    client.get("/orders").await.status
}

/// Returns the number of requests that the filter has rejected for a reason, from Envoy's metrics.
async fn count(admin: &mut Client, label: &str) -> u64 {
    let stats = admin.get("/stats/prometheus").await.text;
    let line = stats.lines().find(|line| line.contains(&format!("refused{{reason=\"{label}\"}}")));
    line.map_or(0, |line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
}

#[tokio::test]
async fn every_good_token_passes_under_the_signing_key_and_the_announced_one() {
    let mut client = client(false);
    for key in keys() {
        assert_eq!(status(&mut client, &key.good(now())).await, 200);
    }
    // The clock runs, so payloads at a limit are left to tests with a clock that stands still.
    let key = &keys()[0];
    for (name, payload) in mint::good_payloads(now()).into_iter().filter(|(name, _)| !name.starts_with("exp"))
    {
        assert_eq!(status(&mut client, &key.token(&key.header(), &payload)).await, 200, "{name}");
    }
}

// holds: invariant 2, promise 1
#[tokio::test]
async fn every_bad_token_is_rejected_for_its_own_reason() {
    let (mut client, mut admin) = (client(false), client_at(stack().ports().envoy_admin, false));
    let [key, _] = keys();
    let stranger = Key::generate(&key.kid);
    let now = now();
    for bad in mint::bad_tokens(key, &stranger, now).into_iter().filter(|bad| !bad.becomes_good_soon(now)) {
        let before = count(&mut admin, bad.label).await;
        assert_eq!(status(&mut client, &bad.token).await, 401, "{}", bad.name);
        assert_eq!(count(&mut admin, bad.label).await, before + 1, "{}: not {}", bad.name, bad.label);
    }
}
