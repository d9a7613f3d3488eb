//! Limits on guessing: who is rejected, who never is, and what costs nothing.

use edgeward_companion::domain::account::email::Email;
use edgeward_companion::domain::account::password::{Password, PresentedPassword};
use edgeward_companion::domain::account::user_ref::UserRef;
use edgeward_companion::service::{account, maintenance};
use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, PASSWORD, Response};
use time::Duration;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const WRONG: &str = "not the password";

/// Sends `count` wrong passwords, and expects the same response to each.
async fn fail(client: &mut Client, email: &str, count: usize) {
    for _ in 0..count {
        client.login(email, WRONG).await.assert_rejected(401, "credentials_wrong");
    }
}

fn assert_limited(response: &Response, seconds: u32) {
    response.assert_rejected(429, "too_many_attempts");
    assert_eq!(response.header("retry-after"), seconds.to_string());
}

/// Starts an API with a user, and returns a client that is known to the account.
async fn start(settings: &[(&str, &str)]) -> (Api, Client) {
    let api = Api::start_with(settings).await;
    let ada = api.registered(ADA).await;
    (api, ada)
}

#[tokio::test]
async fn rejected_attempt_says_when_to_come_back() {
    let (api, _) = start(&[]).await;
    fail(&mut api.client(), ADA, 20).await;
    let response = api.client().login(ADA, PASSWORD).await;
    assert_limited(&response, 60);
    assert_eq!(response.header("ratelimit-policy"), "\"attempts\";q=20;w=1200");
    assert_eq!(response.header("ratelimit"), "\"attempts\";r=0;t=60");
    api.clock.advance(Duration::seconds(59));
    assert_limited(&api.client().login(ADA, PASSWORD).await, 1);
    api.clock.advance(Duration::SECOND);
    fail(&mut api.client(), ADA, 1).await;
    assert_limited(&api.client().login(ADA, PASSWORD).await, 60);
}

// holds: promise 13
#[tokio::test]
async fn known_device_signs_in_while_others_are_rejected() {
    let (api, mut ada) = start(&[("LIMIT_ACCOUNT", "5/1h"), ("LIMIT_ADDRESS", "8/1h")]).await;
    let mut other = api.client_from("203.0.113.7");
    fail(&mut other, ADA, 5).await;
    assert_eq!(other.login(ADA, WRONG).await.status, 429);
    // The device's bucket is neither that of unknown devices nor the address's.
    assert_eq!(ada.login(ADA, PASSWORD).await.status, 200);
    fail(&mut ada, ADA, 5).await;
    assert_eq!(ada.login(ADA, PASSWORD).await.status, 429);
    assert_eq!(ada.login(BOB, WRONG).await.status, 401, "unknown there");
}

#[tokio::test]
async fn right_logins_of_a_known_device_have_a_wider_limit() {
    let (api, mut ada) = start(&[("LIMIT_ACCOUNT", "2/1h")]).await;
    for _ in 0..9 {
        fail(&mut ada, ADA, 1).await;
        assert_eq!(ada.login(ADA, PASSWORD).await.status, 200, "forgets the failure");
    }
    let buckets = api.count_buckets().await;
    assert_eq!(ada.login(ADA, PASSWORD).await.status, 200);
    assert_eq!(api.count_buckets().await, buckets, "all sessions of the device have one bucket");
    fail(&mut ada, ADA, 1).await;
    assert_limited(&ada.login(ADA, PASSWORD).await, 180);
    assert_eq!(api.client().login(ADA, PASSWORD).await.status, 200, "another device");
    api.clock.advance(Duration::seconds(180));
    assert_eq!(ada.login(ADA, PASSWORD).await.status, 200);
    assert_limited(&ada.login(ADA, PASSWORD).await, 180);
}

#[tokio::test]
async fn browser_stays_known_to_its_accounts_when_it_signs_in_to_another() {
    let (api, mut browser) = start(&[("LIMIT_ACCOUNT", "3/1h")]).await;
    api.registered(BOB).await;
    assert_eq!(browser.login(BOB, PASSWORD).await.status, 200);
    assert_eq!(browser.register("carol@example.com").await.status, 201);
    for email in [ADA, BOB, "carol@example.com"] {
        fail(&mut api.client(), email, 3).await;
        assert_eq!(api.client().login(email, PASSWORD).await.status, 429);
        assert_eq!(browser.login(email, PASSWORD).await.status, 200, "{email}");
    }
}

#[tokio::test]
async fn clock_that_was_a_year_ahead_locks_nobody_out() {
    let (api, _) = start(&[("LIMIT_ACCOUNT", "3/3m"), ("LIMIT_ADDRESS", "3/3m")]).await;
    let (year, mut client) = (Duration::days(365), api.client_from("203.0.113.7"));
    api.clock.advance(year);
    fail(&mut client, ADA, 3).await;
    for _ in 0..20 {
        assert_limited(&client.login(ADA, PASSWORD).await, 60);
    }
    api.clock.advance(-year);
    assert_limited(&client.login(ADA, PASSWORD).await, 60);
    maintenance::delete_expired(&api.system()).await.expect("a cleaning");
    assert_eq!(api.bans().await, [""; 0]);
    api.clock.advance(Duration::MINUTE);
    assert_eq!(client.login(ADA, PASSWORD).await.status, 200);
}

// holds: promise 13
#[tokio::test]
async fn two_hundred_attempts_at_once_are_charged_before_they_are_compared() {
    let (api, _) = start(&[("LIMIT_ACCOUNT", "10/1h")]).await;
    let mut attempts = tokio::task::JoinSet::new();
    for at in 0..200 {
        let mut client = api.client_from(&format!("203.0.113.{at}"));
        attempts.spawn(async move { client.login(ADA, WRONG).await.status });
    }
    let mut statuses = attempts.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [[401; 10].as_slice(), &[429; 190]].concat());
}

// holds: promise 13
#[tokio::test]
async fn companions_share_the_limits() {
    let (api, _) = start(&[("LIMIT_ACCOUNT", "6/1h")]).await;
    let another = api.start_another().await;
    let mut clients = [api.client_from("203.0.113.7"), Api::client_of(another, "198.51.100.7")];
    for _ in 0..3 {
        for client in &mut clients {
            fail(client, ADA, 1).await;
        }
    }
    for client in &mut clients {
        assert_eq!(client.login(ADA, PASSWORD).await.status, 429);
    }
}

// holds: promise 13
#[tokio::test]
async fn address_is_limited_whatever_account_it_tries() {
    let (api, _) = start(&[("LIMIT_ADDRESS", "3/1h")]).await;
    for (first, same, other) in [
        ("203.0.113.7", "::ffff:203.0.113.7", "203.0.113.8"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
    ] {
        for account in 0..2 {
            fail(&mut api.client_from(first), &format!("{account}@example.com"), 1).await;
        }
        // A success does not fill the bucket: an account of one's own would be the way around the limit.
        assert_eq!(api.client_from(first).login(ADA, PASSWORD).await.status, 200);
        assert_limited(&api.client_from(same).login(ADA, PASSWORD).await, 1200);
        assert_eq!(api.client_from(other).login(ADA, PASSWORD).await.status, 200);
    }
}

// holds: promise 13
#[tokio::test]
async fn network_is_limited_to_ten_clients() {
    let (api, _) = start(&[("LIMIT_ADDRESS", "1/1h")]).await;
    for at in 0..10 {
        assert_eq!(api.client_from(&format!("203.0.113.{at}")).login(ADA, PASSWORD).await.status, 200);
        assert_eq!(api.client_from("unknown").login(ADA, PASSWORD).await.status, 200);
    }
    assert_limited(&api.client_from("203.0.113.10").login(ADA, PASSWORD).await, 360);
    assert_limited(&api.client_from("unknown").login(ADA, PASSWORD).await, 360);
    assert_eq!(api.client_from("203.0.114.1").login(ADA, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn loopback_has_no_limit_of_its_address() {
    let (api, _) = start(&[("LIMIT_ADDRESS", "1/1h"), ("LIMIT_REGISTRATION", "1/1h")]).await;
    for at in 0..5 {
        assert_eq!(api.client().login(ADA, PASSWORD).await.status, 200);
        api.registered(&format!("{at}@example.com")).await;
    }
}

#[tokio::test]
async fn account_that_does_not_exist_is_limited_like_one_that_does() {
    let (api, _) = start(&[("LIMIT_ACCOUNT", "3/1h")]).await;
    for email in [ADA, "nobody@example.com"] {
        fail(&mut api.client_from("203.0.113.7"), email, 3).await;
        let mut response = api.client_from("203.0.113.8").login(email, PASSWORD).await;
        assert_limited(&response, 1200);
        api.clock.advance(Duration::seconds(5));
        response = api.client_from("203.0.113.8").login(email, PASSWORD).await;
        assert_limited(&response, 1195);
        api.clock.advance(Duration::hours(1));
    }
}

#[tokio::test]
async fn registrations_are_limited_by_address() {
    let api = Api::start_with(&[("LIMIT_REGISTRATION", "2/1h"), ("LIMIT_ADDRESS", "1/1h")]).await;
    let mut client = api.client_from("203.0.113.7");
    assert_eq!(client.register("a@example.com").await.status, 201);
    client.register("a@example.com").await.assert_rejected(409, "email_taken");
    assert_limited(&client.register("b@example.com").await, 1800);
    assert_eq!(api.client_from("203.0.113.8").register("b@example.com").await.status, 201);
    fail(&mut api.client_from("203.0.113.7"), "a@example.com", 1).await;
}

// holds: promise 13
#[tokio::test]
async fn hundred_failures_in_a_row_close_the_account_to_unknown_devices() {
    let (api, mut ada) = start(&[("LIMIT_ACCOUNT", "1000/1s")]).await;
    for email in [ADA, "nobody@example.com"] {
        fail(&mut api.client(), email, 100).await;
        assert_limited(&api.client().login(email, PASSWORD).await, 3600);
        api.clock.advance(Duration::hours(20));
        maintenance::delete_expired(&api.system()).await.expect("a cleaning");
        assert_limited(&api.client().login(email, PASSWORD).await, 3600);
    }
    // Whoever signs in from a known device vouches for the account.
    assert_eq!(ada.login(ADA, PASSWORD).await.status, 200);
    api.clock.advance(Duration::seconds(2));
    fail(&mut api.client(), ADA, 99).await;
    assert_eq!(api.client().login(ADA, PASSWORD).await.status, 200);
    fail(&mut api.client(), ADA, 99).await;

    // A device that guesses is closed for itself.
    fail(&mut ada, ADA, 100).await;
    assert_limited(&ada.login(ADA, PASSWORD).await, 3600);
    assert_eq!(api.client().login(ADA, PASSWORD).await.status, 200);
}

// holds: promise 13
#[tokio::test]
async fn operator_and_new_password_open_an_account_again() {
    let (api, _) = start(&[("LIMIT_ACCOUNT", "1000/1s")]).await;
    let (context, hasher) = (api.system(), &api.state.hasher);
    fail(&mut api.client(), ADA, 100).await;
    assert_eq!(api.client().login(ADA, PASSWORD).await.status, 429);
    api.unlock(ADA).await;
    api.clock.advance(Duration::seconds(2));
    fail(&mut api.client(), ADA, 100).await;
    assert_eq!(api.client().login(ADA, PASSWORD).await.status, 429);

    let email = Email::parse(ADA).expect("an address");
    let password = Password::parse("another horse battery").expect("a password");
    account::set_password(&context, hasher, &UserRef::Email(email), password).await.expect("a user");
    api.clock.advance(Duration::seconds(2));
    assert_eq!(api.client().login(ADA, "another horse battery").await.status, 200);
}

#[tokio::test]
async fn failures_before_the_registration_do_not_count() {
    let api = Api::start_with(&[("LIMIT_ACCOUNT", "1000/1s")]).await;
    fail(&mut api.client(), ADA, 100).await;
    assert_eq!(api.client().login(ADA, WRONG).await.status, 429);
    api.registered(ADA).await;
    api.clock.advance(Duration::seconds(2));
    fail(&mut api.client(), ADA, 1).await;
    assert_eq!(api.client().login(ADA, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn repeated_rejection_needs_no_sql() {
    let (api, _) = start(&[("LIMIT_ADDRESS", "1/1h"), ("LIMIT_ACCOUNT", "1/1h")]).await;
    let (mut by_address, mut by_account) = (api.client_from("203.0.113.7"), api.client());
    // A ban at the gateway lets attempts with a device cookie pass, made-up ones too.
    by_address.keep("device_token=a.b.c; Path=/");
    fail(&mut by_address, BOB, 1).await;
    fail(&mut by_account, ADA, 1).await;
    assert_eq!(by_address.login("carol@example.com", WRONG).await.status, 429);
    assert_eq!(by_account.login(ADA, WRONG).await.status, 429);
    let mut held = api.pool.begin().await.expect("a transaction");
    sqlx::query("lock table attempts").execute(&mut *held).await.expect("a lock");
    for _ in 0..50 {
        assert_eq!(by_address.login("dan@example.com", WRONG).await.status, 429);
        assert_eq!(by_account.login(ADA, WRONG).await.status, 429);
    }
    drop(held);
    // A rejection of an account counts for two seconds, and so does the next one.
    api.clock.advance(Duration::seconds(2));
    assert_eq!(by_account.login(ADA, WRONG).await.status, 429);
    held = api.pool.begin().await.expect("a transaction");
    sqlx::query("lock table attempts").execute(&mut *held).await.expect("a lock");
    assert_eq!(by_account.login(ADA, WRONG).await.status, 429);
}

#[tokio::test]
async fn attempt_that_was_not_compared_is_not_charged() {
    let (api, _) = start(&[("LIMIT_ACCOUNT", "1/1h"), ("BCRYPT_COST", "12")]).await;
    let (full, mut is_full) = tokio::sync::mpsc::channel(1000);
    for _ in 0..200 {
        let (hasher, full) = (api.state.hasher.clone(), full.clone());
        tokio::spawn(async move {
            if hasher.verify(PresentedPassword::new(WRONG), None).await.is_err() {
                full.send(()).await.ok();
            }
        });
    }
    is_full.recv().await.expect("a full queue");
    let mut other = api.client_from("203.0.113.7");
    other.login(BOB, WRONG).await.assert_rejected(503, "busy");
    while other.login(BOB, WRONG).await.status == 503 {
        tokio::task::yield_now().await;
    }
    assert_eq!(other.login(BOB, WRONG).await.status, 429);
}

#[tokio::test]
async fn full_buckets_are_deleted_and_failures_of_users_are_kept() {
    let (api, _) = start(&[]).await;
    let mut client = api.client_from("203.0.113.7");
    fail(&mut client, ADA, 2).await;
    fail(&mut client, "nobody@example.com", 2).await;
    assert_eq!(api.count_buckets().await, 4, "address, network and two accounts");
    for (later, left) in
        [(Duration::ZERO, 4), (Duration::hours(1), 2), (Duration::DAY, 1), (Duration::WEEK, 1)]
    {
        api.clock.advance(later);
        maintenance::delete_expired(&api.system()).await.expect("a cleaning");
        assert_eq!(api.count_buckets().await, left, "{later}");
    }
    assert_eq!(api.client().login(ADA, PASSWORD).await.status, 200);
    assert_eq!(api.count_buckets().await, 0);
}
