//! Changes that revoke sessions and tokens at the edge: logouts, and changes of a user.

use edgeward_companion::clock::{Clock as _, SystemClock};
use edgeward_companion::domain::edge::revocation;
use edgeward_kit::api::Api;
use edgeward_kit::client::PASSWORD;
use edgeward_kit::command;
use edgeward_wire::{RevokedSession, RevokedUser};

fn run(api: &Api, arguments: &[&str]) {
    let output = command::run(&api.database.url, arguments, "another password\n");
    assert!(output.status.success(), "{output:?}");
}

// holds: promise 9
#[tokio::test]
async fn a_logout_revokes_its_session_once() {
    let api = Api::start().await;
    let mut follower = api.follower();
    assert_eq!(follower.poll_sessions().await, [0; 0]);
    let mut ada = api.registered("ada@example.com").await;
    api.registered("bob@example.com").await;
    let (mut copy, sid) = (ada.clone(), ada.claims().sid);
    assert_eq!(ada.logout().await.status, 200);
    assert_eq!(copy.logout().await.status, 200);

    let feed = follower.poll().await;
    let [RevokedSession(session, until)] = feed.revoked.sessions[..] else { panic!("{feed:?}") };
    assert_eq!((session.to_string(), feed.revoked.users.len()), (sid.to_string(), 0));
    // The token's lifetime of an hour, and twice the allowance for clocks.
    assert_eq!(u64::from(until), feed.at - 1 + 3600 + 601, "of the second before the poll");
    assert_eq!(follower.poll_sessions().await, [0; 0]);
}

// holds: promise 9
#[tokio::test]
async fn a_logout_everywhere_ends_all_sessions_and_their_tokens() {
    let api = Api::start().await;
    let mut follower = api.follower();
    let mut phone = api.registered("ada@example.com").await;
    let mut laptop = api.logged_in("ada@example.com").await;
    let mut stale = laptop.clone();
    let before = laptop.claims();

    api.client().post("/api/auth/logout-all").await.assert_rejected(401, "not_signed_in");
    assert_eq!(laptop.post("/api/auth/logout-all").await.status, 200);
    assert!(laptop.cookies.is_empty());
    stale.post("/api/auth/logout-all").await.assert_rejected(401, "not_signed_in");
    assert_eq!(phone.refresh().await.status, 401);

    let feed = follower.poll().await;
    let [RevokedUser(user, not_before, _)] = feed.revoked.users[..] else { panic!("{feed:?}") };
    assert_eq!((user.to_string(), i64::from(not_before)), (before.sub, before.iat + 1));
    // In the same second.
    assert_eq!(laptop.login("ada@example.com", PASSWORD).await.status, 200);
    assert_eq!(laptop.claims().iat, i64::from(not_before));
    assert_eq!(laptop.get("/api/auth/self").await.status, 200);
}

// holds: promise 9
#[tokio::test]
async fn a_changed_user_has_only_new_tokens() {
    for (command, refreshed) in [("set-role", 200), ("set-password", 401), ("disable", 401)] {
        let api = Api::start().await;
        api.clock.catch_up();
        let mut follower = api.follower();
        let mut ada = api.registered("ada@example.com").await;
        let before = ada.claims();
        let role: &[&str] = if command == "set-role" { &["auditor"] } else { &[] };
        let arguments = [&["user", command, "ada@example.com"], role].concat();

        run(&api, &arguments);
        let feed = follower.poll().await;
        let [RevokedUser(user, not_before, until)] = feed.revoked.users[..] else { panic!("{feed:?}") };
        assert_eq!(user.to_string(), before.sub);
        assert!(before.iat < i64::from(not_before), "{command}");
        assert!(u64::from(until) > feed.at + 86_400, "{command}");
        assert_eq!(ada.refresh().await.status, refreshed, "{command}");
        if refreshed == 200 {
            assert_eq!(ada.claims().role, "auditor");
            assert!(ada.claims().iat >= i64::from(not_before));
        }

        // A second change may follow within the same second.
        run(&api, &arguments);
        let feed = follower.poll().await;
        let [RevokedUser(_, later, _)] = feed.revoked.users[..] else { panic!("{feed:?}") };
        assert!(later > not_before, "{command}");
    }
}

#[tokio::test]
async fn changed_password_replaces_the_old_one() {
    let api = Api::start().await;
    api.clock.catch_up();
    api.registered("ada@example.com").await;
    run(&api, &["user", "set-password", "ada@example.com"]);
    assert_eq!(api.client().login("ada@example.com", PASSWORD).await.status, 401);
    assert_eq!(api.client().login("ada@example.com", "another password").await.status, 200);
}

#[tokio::test]
async fn deleted_user_is_revoked_however_the_row_was_deleted() {
    let api = Api::start().await;
    api.clock.catch_up();
    let mut follower = api.follower();
    let by_hand = "delete from users where email = 'ada@example.com'";
    for delete in [None, Some(by_hand)] {
        let mut ada = api.registered("ada@example.com").await;
        let claims = ada.claims();
        match delete {
            None => run(&api, &["user", "delete", "ada@example.com", "--yes"]),
            Some(statement) => _ = sqlx::query(statement).execute(&api.pool).await.expect("a deletion"),
        }
        let feed = follower.poll().await;
        let [RevokedUser(user, not_before, until)] = feed.revoked.users[..] else { panic!("{feed:?}") };
        assert_eq!(user.to_string(), claims.sub);
        // Tokens dated up to ten minutes ahead are rejected, until the last of them has expired.
        assert_eq!(not_before + 86_400, until);
        let reference = revocation::user_until(SystemClock.now()).unix_timestamp();
        assert!((reference - 10..=reference + 1).contains(&i64::from(until)), "{until} {reference}");
        assert_eq!(ada.get("/api/auth/self").await.status, 401);
        assert_eq!(ada.refresh().await.status, 401);
    }
}
