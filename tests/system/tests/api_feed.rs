//! Edge feed: every follower receives each committed revocation exactly once. And its secret.

use std::collections::BTreeSet;

use edgeward_companion::clock::Clock as _;
use edgeward_companion::db::edge_feed;
use edgeward_companion::db::expired::{self, Expired};
use edgeward_kit::api::Api;
use edgeward_kit::database;
use edgeward_wire::{MAX_PAGE, RevokedSession};
use reqwest::Method;
use sqlx::{Executor as _, PgConnection};
use time::{Duration, OffsetDateTime};

/// Writes the revocation of an ended session.
async fn revoke_session(connection: &mut PgConnection, session: i64, until: OffsetDateTime) {
    let statement = "insert into revocations (session_id, expires_at) values ($1, $2)";
    let done = sqlx::query(statement).bind(session).bind(until).execute(connection).await;
    assert_eq!(done.expect("a revocation").rows_affected(), 1);
}

async fn revoke(connection: &mut PgConnection, api: &Api, sessions: impl IntoIterator<Item = i64>) {
    for session in sessions {
        revoke_session(connection, session, api.clock.now() + Duration::hours(1)).await;
    }
}

/// Writes a range of revocations at once.
async fn revoke_range(connection: &mut PgConnection, first: u64, last: u64) {
    let statement = "insert into revocations (session_id, expires_at)
                     select id, '2040-01-01' from generate_series($1::bigint, $2::bigint) as id";
    let range = [first, last].map(|id| i64::try_from(id).expect("a number"));
    sqlx::query(statement).bind(range[0]).bind(range[1]).execute(connection).await.expect("revocations");
}

// holds: promise 9
#[tokio::test]
async fn transaction_that_begins_first_and_commits_last_is_in_the_feed() {
    let api = Api::start().await;
    let mut follower = api.follower();
    let mut early = api.pool.begin().await.expect("a transaction");
    revoke(&mut early, &api, [1]).await;
    let mut late = api.pool.begin().await.expect("a transaction");
    revoke(&mut late, &api, [2]).await;
    late.commit().await.expect("a commit");
    assert_eq!(follower.poll_sessions().await, [2]);
    revoke(&mut early, &api, [3]).await;
    assert_eq!(follower.poll_sessions().await, [0; 0]);
    early.commit().await.expect("a commit");
    assert_eq!(follower.poll_sessions().await, [1, 3]);
    assert_eq!(follower.poll_sessions().await, [0; 0]);
}

// holds: promise 9
#[tokio::test]
async fn open_transaction_holds_nothing_back() {
    let api = Api::start().await;
    let mut open = api.pool.begin().await.expect("a transaction");
    revoke(&mut open, &api, [99]).await;
    let mut follower = api.follower();
    let mut connection = api.pool.acquire().await.expect("a connection");
    for session in 1..=5_u32 {
        revoke(&mut connection, &api, [session.into()]).await;
        assert_eq!(follower.poll_sessions().await, [u64::from(session)]);
    }
    open.rollback().await.expect("an end");
    assert_eq!(follower.poll_sessions().await, [0; 0]);
}

// holds: promise 9
#[tokio::test]
async fn pages_lose_and_repeat_nothing_while_others_commit() {
    let api = Api::start().await;
    let mut connection = api.pool.acquire().await.expect("a connection");
    let mut open = api.pool.begin().await.expect("a transaction");
    revoke_range(&mut open, 50_001, 50_010).await;
    let page = MAX_PAGE as u64;
    let all = 2 * page + 100;
    revoke_range(&mut connection, 1, all / 2).await;
    revoke_range(&mut connection, all / 2 + 1, all).await;

    let (mut follower, mut received, mut pages) = (api.follower(), Vec::new(), 0);
    let mut open = Some(open);
    loop {
        let feed = follower.poll().await;
        received.extend(feed.revoked.sessions.iter().map(|RevokedSession(id, _)| *id));
        pages += 1;
        if !feed.more {
            break;
        }
        // Between the pages one more commits, and one that began before all of them.
        revoke_range(&mut connection, 60_000 + pages, 60_000 + pages).await;
        if let Some(open) = open.take() {
            open.commit().await.expect("a commit");
        }
    }
    assert_eq!(pages, 4, "three to the first cut, and one to the next");
    let later = (50_001..=50_010).chain([60_001, 60_002, 60_003]);
    assert_eq!(received, (1..=all).chain(later).collect::<Vec<_>>());
    assert_eq!(follower.poll_sessions().await, [0; 0]);
}

#[tokio::test]
async fn pages_are_in_order_of_transaction_numbers_not_of_their_digits() {
    let api = Api::start().await;
    let add = "insert into revocations (xact, session_id, expires_at)
               select $1::text::xid8, id, '2040-01-01' from generate_series($2::bigint, $3::bigint) as id";
    let page = i64::try_from(MAX_PAGE).expect("a number");
    for (xact, first, last) in [("9", 1, 1), ("10", 2, page + 100)] {
        let rows = sqlx::query(add).bind(xact).bind(first).bind(last).execute(&api.pool).await;
        rows.expect("revocations");
    }
    let mut follower = api.follower();
    let first = follower.poll().await;
    assert_eq!((first.revoked.sessions.len(), first.more), (MAX_PAGE, true));
    let rest: Vec<_> = (MAX_PAGE as u64 + 1..=MAX_PAGE as u64 + 100).collect();
    assert_eq!(follower.poll_sessions().await, rest);
}

#[tokio::test]
async fn pages_of_users_and_sessions_are_complete() {
    let api = Api::start().await;
    let mixed = "insert into revocations (session_id, user_id, not_before, expires_at)
                 select case when id % 2 = 0 then id end, case when id % 2 = 1 then id end,
                        case when id % 2 = 1 then timestamptz '2030-01-01' end, '2040-01-01'
                 from generate_series(1, $1::bigint) as id";
    let all = i64::try_from(MAX_PAGE).expect("a number");
    sqlx::query(mixed).bind(all).execute(&api.pool).await.expect("revocations");
    let mut follower = api.follower();
    let first = follower.poll().await;
    assert_eq!((first.revoked.sessions.len(), first.revoked.users.len()), (MAX_PAGE / 2, MAX_PAGE / 2));
    assert!(first.more, "the page is full");
    assert_eq!(follower.poll_sessions().await, [0; 0]);
}

// holds: promise 9
#[tokio::test]
async fn restored_dump_of_another_server_is_in_the_feed_once() {
    let api = Api::start().await;
    let mut follower = api.follower();
    follower.poll().await;
    let mut connection = api.pool.acquire().await.expect("a connection");
    let restored = "insert into revocations (xact, session_id, expires_at)
                    values ('9000000000000', 7, '2040-01-01')";
    connection.execute(restored).await.expect("a row");
    let mut connection = database::open(&api.database.url).await;
    assert_eq!(edge_feed::adopt_restored(&mut connection).await.expect("an update"), 1);
    assert_eq!(edge_feed::adopt_restored(&mut connection).await.expect("an update"), 0);
    assert_eq!(follower.poll_sessions().await, [7]);
    assert_eq!(follower.poll_sessions().await, [0; 0]);
}

#[tokio::test]
async fn expired_revocations_are_omitted_and_deleted_in_batches() {
    let api = Api::start().await;
    let mut connection = api.pool.acquire().await.expect("a connection");
    revoke(&mut connection, &api, 1..=1001).await;
    api.clock.advance(Duration::hours(1));
    revoke(&mut connection, &api, [5000]).await;
    assert_eq!(api.follower().poll_sessions().await, [5000]);
    let now = api.clock.now();
    let mut connection = database::open(&api.database.url).await;
    let mut delete =
        async || expired::delete(&mut connection, Expired::Revocations, now).await.expect("a batch");
    assert_eq!((delete().await, delete().await, delete().await), (true, false, false));
    assert_eq!(api.revoked_sessions().await, [5000]);
    assert_eq!(api.count_revocations().await, 1);
}

#[tokio::test]
async fn feed_with_a_secret_rejects_every_other() {
    let secrets = ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"];
    let api = Api::start_with(&[("FEED_SECRET", &secrets.join(", "))]).await;
    let status = async |path: &str, authorization: Option<&str>| {
        let mut client = api.internal();
        let mut request = client.request(Method::GET, path);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        client.send(request).await.status
    };
    for secret in secrets {
        assert_eq!(status("/internal/edge-feed", Some(&format!("Bearer {secret}"))).await, 200);
    }
    for wrong in
        [None, Some("Bearer"), Some("Bearer "), Some("Bearer 0"), Some(secrets[0]), Some("Basic YTpi")]
    {
        assert_eq!(status("/internal/edge-feed", wrong).await, 403, "{wrong:?}");
    }
    assert_eq!(status("/healthz", None).await, 200);
}

// holds: promise 9
#[tokio::test]
async fn simultaneous_commits_are_all_in_the_feed() {
    let api = Api::start().await;
    let writers: Vec<_> = (0..6_i64)
        .map(|writer| {
            let pool = api.database.pool();
            let until = api.clock.now() + Duration::hours(1);
            tokio::spawn(async move {
                for step in 0..50 {
                    let mut transaction = pool.begin().await.expect("a transaction");
                    let session = 1 + writer * 50 + step;
                    revoke_session(&mut transaction, session, until).await;
                    tokio::task::yield_now().await;
                    transaction.commit().await.expect("a commit");
                }
            })
        })
        .collect();
    let (mut follower, mut received) = (api.follower(), BTreeSet::new());
    let mut poll = async || {
        for session in follower.poll_sessions().await {
            assert!(received.insert(session), "session {session} is received once");
        }
        received.len()
    };
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        poll().await;
    }
    assert_eq!(poll().await, 300);
}
