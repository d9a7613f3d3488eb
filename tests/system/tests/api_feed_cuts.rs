//! Cuts of the edge feed: cursors outlive a companion and a failover, and responses are the same for everybody.

use edgeward_companion::clock::Clock as _;
use edgeward_companion::db::edge_feed;
use edgeward_kit::api::Api;
use edgeward_kit::database;
use reqwest::Method;
use sqlx::{Executor as _, PgConnection};
use time::Duration;

/// Writes revocations of ended sessions.
async fn revoke(connection: &mut PgConnection, api: &Api, sessions: impl IntoIterator<Item = i64>) {
    let until = api.clock.now() + Duration::hours(1);
    for session in sessions {
        let statement = "insert into revocations (session_id, expires_at) values ($1, $2)";
        sqlx::query(statement)
            .bind(session)
            .bind(until)
            .execute(&mut *connection)
            .await
            .expect("a revocation");
    }
}

async fn count_cuts(api: &Api) -> i64 {
    sqlx::query_scalar("select count(*) from edge_feed_cuts").fetch_one(&api.pool).await.expect("a count")
}

// holds: promise 9
#[tokio::test]
async fn companions_serve_each_others_cursors() {
    let api = Api::start().await;
    let (mut one, mut other) = (api.follower(), api.follower().at(api.start_another_feed().await));
    let mut connection = api.pool.acquire().await.expect("a connection");
    for session in 1..=3_u32 {
        revoke(&mut connection, &api, [session.into()]).await;
        assert_eq!(one.poll_sessions().await, [u64::from(session)]);
        revoke(&mut connection, &api, [i64::from(session) + 10]).await;
        other.cursor.clone_from(&one.cursor);
        assert_eq!(other.poll_sessions().await, [u64::from(session) + 10]);
        one.cursor.clone_from(&other.cursor);
        assert_eq!(one.poll_sessions().await, [0; 0]);
    }
    let (first, again) = (one.poll().await, other.poll_again().await);
    assert_eq!((first.cursor, first.revoked), (again.cursor, again.revoked));
    assert_eq!(count_cuts(&api).await, 7, "one for each change, and the first");
}

#[tokio::test]
async fn quiet_feed_makes_no_cuts() {
    let api = Api::start().await;
    let mut follower = api.follower();
    let first = follower.poll().await;
    for _ in 0..3 {
        assert_eq!(follower.poll().await.cursor, first.cursor);
    }
    assert_eq!(count_cuts(&api).await, 1);
}

#[tokio::test]
async fn response_may_be_cached_for_its_second() {
    let api = Api::start().await;
    let first = api.internal().get("/internal/edge-feed").await;
    assert_eq!(first.header("cache-control"), "public, max-age=1");
    let etag = first.header("etag").to_owned();
    let conditional = async |tags: &str| {
        let mut client = api.internal();
        let request = client.request(Method::GET, "/internal/edge-feed").header("if-none-match", tags);
        client.send(request).await
    };
    for tags in [etag.clone(), format!("\"other\", {etag}")] {
        let unchanged = conditional(&tags).await;
        assert_eq!((unchanged.status, unchanged.header("etag")), (304, etag.as_str()), "{tags}");
    }
    assert_eq!(conditional("\"other\"").await.status, 200);
    api.clock.advance(Duration::SECOND);
    assert_eq!(conditional(&etag).await.status, 200);
}

#[tokio::test]
async fn unusable_cursor_gets_the_whole_feed() {
    let api = Api::start().await;
    let mut follower = api.follower();
    let mut connection = api.pool.acquire().await.expect("a connection");
    revoke(&mut connection, &api, [1, 2]).await;
    follower.poll().await;
    let cut = follower.cursor.clone();
    let other = "00000000-0000-4000-8000-000000000000";
    for cursor in [
        String::new(),
        "0".to_owned(),
        "~".repeat(2048),
        "%00".to_owned(),
        "%27".to_owned(),
        "7-history.1:1:".to_owned(),
        format!("0.{other}"),
        format!("9223372036854775807.{other}"),
        format!("9223372036854775808.{other}"),
        format!("{}{other}", &cut[..=cut.find('.').expect("a cut")]),
        format!("0~{cut}~18446744073709551616-7"),
        format!("0~{cut}~1-9223372036854775808"),
        format!("0~1.{other}~1-1"),
        format!("1.{other}~{cut}~1000000000-7"),
    ] {
        follower.cursor.clone_from(&cursor);
        assert_eq!(follower.poll_sessions().await, [1, 2], "{cursor}");
        assert_eq!(follower.poll_sessions().await, [0; 0], "{cursor}");
    }
}

// holds: promise 9
#[tokio::test]
async fn cursor_that_a_failover_has_lost_goes_back_by_five_minutes() {
    let api = Api::start().await;
    let mut follower = api.follower();
    let mut connection = api.pool.acquire().await.expect("a connection");
    for session in 1..=3_u32 {
        revoke(&mut connection, &api, [session.into()]).await;
        assert_eq!(follower.poll_sessions().await, [u64::from(session)]);
        api.clock.advance(Duration::seconds(200));
    }
    // A failover loses what the standby had not received, and the server's numbers are given out again.
    let lose = "delete from edge_feed_cuts where id = (select max(id) from edge_feed_cuts)";
    connection.execute(lose).await.expect("a loss");
    revoke(&mut connection, &api, [4]).await;
    assert_eq!(follower.poll_sessions().await, [2, 3, 4], "of the cut 400 s before");
    assert_eq!(follower.poll_sessions().await, [0; 0]);
    connection.execute("delete from edge_feed_cuts").await.expect("a loss");
    assert_eq!(follower.poll_sessions().await, [1, 2, 3, 4]);
}

// holds: promise 9
#[tokio::test]
async fn cuts_of_another_server_are_unknown() {
    let api = Api::start().await;
    let mut follower = api.follower();
    let mut connection = api.pool.acquire().await.expect("a connection");
    revoke(&mut connection, &api, [1]).await;
    assert_eq!(follower.poll_sessions().await, [1]);
    connection.execute("update edge_feed_cuts set server = 7").await.expect("a restored dump");
    assert_eq!(follower.poll_sessions().await, [1]);
    assert_eq!(follower.poll_sessions().await, [0; 0]);
}

#[tokio::test]
async fn cuts_are_kept_for_a_quarter_of_an_hour_after_the_next() {
    let api = Api::start().await;
    let (mut follower, mut absent) = (api.follower(), api.follower());
    let mut connection = api.pool.acquire().await.expect("a connection");
    for (session, absence, expected) in [(1, 100_000, vec![1]), (2, 800, vec![2]), (3, 0, vec![2, 3])] {
        revoke(&mut connection, &api, [session]).await;
        let until = "update revocations set expires_at = '2040-01-01'";
        connection.execute(until).await.expect("a long life");
        follower.poll().await;
        if session != 2 {
            assert_eq!(absent.poll_sessions().await, expected, "after session {session}");
        }
        api.clock.advance(Duration::seconds(absence));
    }
    assert_eq!(count_cuts(&api).await, 3);
}

#[tokio::test]
async fn same_request_has_the_same_response() {
    let api = Api::start().await;
    let mut follower = api.follower();
    follower.poll().await;
    let mut connection = api.pool.acquire().await.expect("a connection");
    revoke(&mut connection, &api, [1, 2]).await;
    let cursor = follower.cursor.clone();
    let first = follower.poll().await;
    assert_eq!(first.revoked.sessions.len(), 2);
    revoke(&mut connection, &api, [3]).await;
    follower.cursor.clone_from(&cursor);
    assert_eq!(follower.poll_again().await, first, "within the same second");
    follower.cursor = cursor;
    assert_eq!(follower.poll_sessions().await, [1, 2, 3]);
}

#[tokio::test]
async fn seconds_of_cuts_do_not_go_back_with_a_clock() {
    let api = Api::start().await;
    let (mut follower, mut connection) = (api.follower(), api.pool.acquire().await.expect("a connection"));
    for (session, forward) in [(1, 0), (2, -1000), (3, 1000)] {
        api.clock.advance(Duration::seconds(forward));
        revoke(&mut connection, &api, [session]).await;
        assert_eq!(follower.poll_sessions().await, [session.unsigned_abs()]);
    }
    let decreasing =
        "select count(*) from edge_feed_cuts as one join edge_feed_cuts as next on next.id > one.id
                      where next.second < one.second";
    let count: i64 = sqlx::query_scalar(decreasing).fetch_one(&api.pool).await.expect("a count");
    assert_eq!(count, 0);
}

#[tokio::test]
async fn cut_follows_the_latest_one_alone() {
    let api = Api::start().await;
    let mut connection = database::open(&api.database.url).await;
    let first = edge_feed::latest_cut(&mut connection).await.expect("a cut");
    let mut insert = async |previous: i64| {
        let cut = edge_feed::insert_cut(&mut connection, previous, 5, &first.snapshot).await;
        cut.expect("a statement").map(|cut| cut.id)
    };
    let second = insert(first.id).await.expect("a cut");
    assert_eq!(insert(first.id).await, None, "it has a successor");
    let third = insert(second).await.expect("a cut");
    sqlx::query("delete from edge_feed_cuts where id = $1")
        .bind(second)
        .execute(&api.pool)
        .await
        .expect("a deletion");
    assert_eq!(insert(first.id).await, None, "its successor was deleted");
    assert!(insert(third).await.is_some());
}

#[tokio::test]
async fn rows_of_another_server_are_adopted_while_the_service_runs() {
    let api = Api::start().await;
    let (mut follower, mut connection) = (api.follower(), api.pool.acquire().await.expect("a connection"));
    follower.poll().await;
    let restored =
        "insert into revocations (xact, session_id, expires_at) values ('9000000000000', 7, '2040-01-01')";
    connection.execute(restored).await.expect("a row");
    assert_eq!(follower.poll_sessions().await, [7]);
    assert_eq!(follower.poll_sessions().await, [0; 0]);
}
