//! Bans of networks that keep trying: who is banned, for what and for how long.

use edgeward_companion::clock::Clock as _;
use edgeward_companion::service::maintenance;
use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, PASSWORD};
use edgeward_wire::EdgeFeed;
use time::Duration;

const ADA: &str = "ada@example.com";
const NOBODY: &str = "nobody@example.com";
const CLIENT: &str = "203.0.113.7";

/// Sends `count` attempts, and expects a limit to reject each.
async fn exceed(client: &mut Client, count: usize) {
    for _ in 0..count {
        client.login(ADA, PASSWORD).await.assert_rejected(429, "too_many_attempts");
    }
}

/// Sends a wrong password.
async fn fail(client: &mut Client) {
    client.login(NOBODY, PASSWORD).await.assert_rejected(401, "credentials_wrong");
}

/// Returns the number of bans of logins by the metrics.
async fn counted_bans(api: &Api) -> String {
    let metrics = api.internal().get("/metrics").await.text;
    let line =
        metrics.lines().find_map(|line| line.strip_prefix("edgeward_bans_total{scope=\"credentials\"} "));
    line.expect("a count").to_owned()
}

async fn execute(api: &Api, statement: &'static str) {
    sqlx::query(statement).execute(&api.pool).await.expect("a statement");
}

// holds: promise 13
#[tokio::test]
async fn network_that_keeps_trying_is_banned() {
    let api = Api::start_with(&[("LIMIT_ADDRESS", "1/1m")]).await;
    for address in [CLIENT, "2001:db8:1:2::3"] {
        let mut client = api.client_from(address);
        fail(&mut client).await;
        exceed(&mut client, 19).await;
    }
    assert_eq!(api.bans().await, [""; 0]);
    for address in [CLIENT, "2001:db8:1:2::4"] {
        exceed(&mut api.client_from(address), 1).await;
    }
    assert_eq!(api.bans().await, ["2001:db8:1:2::/64 credentials", "203.0.113.7/32 credentials"]);
    api.clock.advance(Duration::MINUTE);
    maintenance::delete_expired(&api.system()).await.expect("a cleaning");
    assert_eq!(api.bans().await, [""; 0]);
    fail(&mut api.client_from(CLIENT)).await;
}

#[tokio::test]
async fn ban_that_cannot_be_set_is_tried_again() {
    let api = Api::start_with(&[("LIMIT_ADDRESS", "1/1h")]).await;
    let mut client = api.client_from(CLIENT);
    fail(&mut client).await;
    let fill = "insert into bans select format('198.%s.%s.0/24', n / 256, n % 256)::cidr, 'refresh', now()
                from generate_series(1, 10000) n";
    for (obstacle, remedy) in
        [("alter table bans rename to away", "alter table away rename to bans"), (fill, "truncate bans")]
    {
        execute(&api, obstacle).await;
        exceed(&mut client, 20).await;
        execute(&api, remedy).await;
        assert_eq!(api.bans().await, [""; 0], "{obstacle}");
        assert_eq!(counted_bans(&api).await, "0", "{obstacle}");
    }
    exceed(&mut client, 20).await;
    assert_eq!(api.bans().await, ["203.0.113.7/32 credentials"]);
    exceed(&mut client, 20).await;
    assert_eq!(counted_bans(&api).await, "1", "it is banned already");
    // A ban that is there is extended, however full the table is.
    execute(&api, fill).await;
    api.clock.advance(Duration::minutes(10));
    exceed(&mut client, 20).await;
    assert_eq!(counted_bans(&api).await, "2");
}

#[tokio::test]
async fn feed_goes_without_bans_that_cannot_be_read_or_are_of_a_clock_ahead() {
    let api = Api::start().await;
    let feed = async || -> EdgeFeed {
        api.clock.advance(Duration::SECOND);
        let response = api.internal().get("/internal/edge-feed?bans=").await;
        serde_json::from_value(response.body).expect("a feed")
    };
    let insert = "insert into bans values ('192.0.2.7/32', 'credentials', $1)";
    let ahead = api.clock.now() + Duration::minutes(12);
    sqlx::query(insert).bind(ahead).execute(&api.pool).await.expect("a ban");
    assert_eq!(feed().await.bans.expect("bans").list, Some(Vec::new()));
    execute(&api, "alter table bans rename to away").await;
    assert_eq!(feed().await.bans, None);
    execute(&api, "alter table away rename to bans").await;
    assert!(feed().await.bans.is_some());
}

#[tokio::test]
async fn client_that_makes_up_refresh_tokens_is_banned_for_these_alone() {
    let api = Api::start().await;
    let ada = api.registered(ADA).await;
    let mut client = api.client_from(CLIENT);
    client.cookies = ada.cookies.clone();
    for _ in 0..300 {
        assert_eq!(client.refresh().await.status, 200, "our own tokens do not count");
    }
    let refresh = async |client: &mut Client, token: String| {
        client.cookies.insert("refresh_token".to_owned(), token);
        client.refresh().await.assert_rejected(401, "not_signed_in");
    };
    for _ in 0..300 {
        refresh(&mut client, "a.b.c".to_owned()).await;
    }
    for number in 1..240 {
        refresh(&mut client, format!("a.b.{number}")).await;
    }
    assert_eq!(api.bans().await, [""; 0], "the same token counts once");
    refresh(&mut client, "a.b.240".to_owned()).await;
    assert_eq!(api.bans().await, ["203.0.113.7/32 refresh"]);
    client.cookies = ada.cookies.clone();
    assert_eq!(client.refresh().await.status, 200);
}
