//! The edge feed: what revokes, that it is heard once and by everyone, and who may ask.

use std::collections::BTreeSet;

use edgeward_companion::clock::{Clock as _, SystemClock};
use edgeward_companion::db::{edge_feed, revocations};
use edgeward_companion::domain::edge::revocation;
use edgeward_tests::api::Api;
use edgeward_tests::client::{Client, PASSWORD, Response};
use edgeward_tests::command;
use edgeward_wire::{EdgeFeed, MAX_PAGE, RevokedSession, RevokedUser};
use reqwest::Method;
use sqlx::{Executor as _, PgConnection};
use time::{Duration, OffsetDateTime};

/// Somebody who follows the feed.
struct Edge {
    client: Client,
    cursor: String,
}

impl Edge {
    fn of(api: &Api) -> Self {
        Self { client: api.internal(), cursor: String::new() }
    }

    async fn ask(&mut self) -> Response {
        self.client.get(&format!("/internal/edge-feed?after={}", self.cursor)).await
    }

    /// Hears one response.
    async fn hear(&mut self) -> EdgeFeed {
        let response = self.ask().await;
        assert_eq!(response.status, 200, "{response:?}");
        let feed: EdgeFeed = serde_json::from_value(response.body).expect("a feed");
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":,.~_-".contains(&byte);
        assert!(feed.cursor.bytes().all(is_plain), "{}", feed.cursor);
        self.cursor.clone_from(&feed.cursor);
        feed
    }

    /// The sessions and the users of one response.
    async fn hear_of(&mut self) -> (Vec<u64>, Vec<u64>) {
        let EdgeFeed { revoked, more, .. } = self.hear().await;
        assert!(!more);
        let sessions = revoked.sessions.iter().map(|RevokedSession(id, _)| *id);
        (sessions.collect(), revoked.users.iter().map(|RevokedUser(id, ..)| *id).collect())
    }
}

/// What is written where a session is ended.
async fn note_ended(connection: &mut PgConnection, session: i64, until: OffsetDateTime) {
    let statement = "insert into revocations (session_id, expires_at) values ($1, $2)";
    let done = sqlx::query(statement).bind(session).bind(until).execute(connection).await;
    assert_eq!(done.expect("a revocation").rows_affected(), 1);
}

async fn revoke(connection: &mut PgConnection, api: &Api, sessions: impl IntoIterator<Item = i64>) {
    for session in sessions {
        note_ended(connection, session, api.clock.now() + Duration::hours(1)).await;
    }
}

/// Many at once.
async fn revoke_range(connection: &mut PgConnection, first: u64, last: u64) {
    let statement = "insert into revocations (session_id, expires_at)
                     select id, '2040-01-01' from generate_series($1::bigint, $2::bigint) as id";
    let range = [first, last].map(|id| i64::try_from(id).expect("a number"));
    sqlx::query(statement).bind(range[0]).bind(range[1]).execute(connection).await.expect("revocations");
}

fn run(api: &Api, arguments: &[&str]) {
    let output = command::run(&api.database.url, arguments, "another password\n");
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn a_logout_revokes_its_session_once() {
    let api = Api::start().await;
    let mut edge = Edge::of(&api);
    assert_eq!(edge.hear_of().await, (vec![], vec![]));
    let mut ada = api.registered("ada@example.com").await;
    api.registered("bob@example.com").await;
    let (mut copy, sid) = (ada.clone(), ada.claims().sid);
    assert_eq!(ada.post("/api/auth/logout").await.status, 200);
    assert_eq!(copy.post("/api/auth/logout").await.status, 200);

    let feed = edge.hear().await;
    let [RevokedSession(session, until)] = feed.revoked.sessions[..] else { panic!("{feed:?}") };
    assert_eq!((session.to_string(), feed.revoked.users.len()), (sid.to_string(), 0));
    // The token's hour, and twice the allowance for clocks.
    assert_eq!(u64::from(until), feed.at + 3600 + 601);
    assert_eq!(edge.hear_of().await, (vec![], vec![]));
}

#[tokio::test]
async fn a_logout_everywhere_ends_all_sessions_and_their_tokens() {
    let api = Api::start().await;
    let mut edge = Edge::of(&api);
    let mut phone = api.registered("ada@example.com").await;
    let mut laptop = api.logged_in("ada@example.com").await;
    let mut stale = laptop.clone();
    let before = laptop.claims();

    api.client().post("/api/auth/logout-all").await.assert_rejected(401, "not_signed_in");
    assert_eq!(laptop.post("/api/auth/logout-all").await.status, 200);
    assert!(laptop.cookies.is_empty());
    stale.post("/api/auth/logout-all").await.assert_rejected(401, "not_signed_in");
    assert_eq!(phone.post("/api/auth/refresh").await.status, 401);

    let feed = edge.hear().await;
    let [RevokedUser(user, not_before, _)] = feed.revoked.users[..] else { panic!("{feed:?}") };
    assert_eq!((user.to_string(), i64::from(not_before)), (before.sub, before.iat + 1));
    // In the same second.
    assert_eq!(laptop.login("ada@example.com", PASSWORD).await.status, 200);
    assert_eq!(laptop.claims().iat, i64::from(not_before));
    assert_eq!(laptop.get("/api/auth/self").await.status, 200);
}

#[tokio::test]
async fn a_changed_user_has_only_new_tokens() {
    for (command, refreshed) in [("set-role", 200), ("set-password", 401), ("disable", 401)] {
        let api = Api::start().await;
        api.clock.catch_up();
        let mut edge = Edge::of(&api);
        let mut ada = api.registered("ada@example.com").await;
        let before = ada.claims();
        let role: &[&str] = if command == "set-role" { &["auditor"] } else { &[] };
        let arguments = [&["user", command, "ada@example.com"], role].concat();

        run(&api, &arguments);
        let feed = edge.hear().await;
        let [RevokedUser(user, not_before, until)] = feed.revoked.users[..] else { panic!("{feed:?}") };
        assert_eq!(user.to_string(), before.sub);
        assert!(before.iat < i64::from(not_before), "{command}");
        assert!(u64::from(until) > feed.at + 86_400, "{command}");
        assert_eq!(ada.post("/api/auth/refresh").await.status, refreshed, "{command}");
        if refreshed == 200 {
            assert_eq!(ada.claims().role, "auditor");
            assert!(ada.claims().iat >= i64::from(not_before));
        }

        // However fast one change follows the other.
        run(&api, &arguments);
        let feed = edge.hear().await;
        let [RevokedUser(_, later, _)] = feed.revoked.users[..] else { panic!("{feed:?}") };
        assert!(later > not_before, "{command}");
    }
}

#[tokio::test]
async fn a_changed_password_is_the_one_that_counts() {
    let api = Api::start().await;
    api.clock.catch_up();
    api.registered("ada@example.com").await;
    run(&api, &["user", "set-password", "ada@example.com"]);
    assert_eq!(api.client().login("ada@example.com", PASSWORD).await.status, 401);
    assert_eq!(api.client().login("ada@example.com", "another password").await.status, 200);
}

#[tokio::test]
async fn a_transaction_that_begins_first_and_commits_last_is_heard() {
    let api = Api::start().await;
    let mut edge = Edge::of(&api);
    let mut early = api.pool.begin().await.expect("a transaction");
    revoke(&mut early, &api, [1]).await;
    let mut late = api.pool.begin().await.expect("a transaction");
    revoke(&mut late, &api, [2]).await;
    late.commit().await.expect("a commit");
    assert_eq!(edge.hear_of().await, (vec![2], vec![]));
    revoke(&mut early, &api, [3]).await;
    assert_eq!(edge.hear_of().await, (vec![], vec![]));
    early.commit().await.expect("a commit");
    assert_eq!(edge.hear_of().await, (vec![1, 3], vec![]));
    assert_eq!(edge.hear_of().await, (vec![], vec![]));
}

#[tokio::test]
async fn a_transaction_that_stays_open_holds_nothing_back() {
    let api = Api::start().await;
    let mut open = api.pool.begin().await.expect("a transaction");
    revoke(&mut open, &api, [99]).await;
    let mut edge = Edge::of(&api);
    let mut connection = api.pool.acquire().await.expect("a connection");
    for session in 1..=5_u32 {
        revoke(&mut connection, &api, [session.into()]).await;
        assert_eq!(edge.hear_of().await, (vec![session.into()], vec![]));
    }
    open.rollback().await.expect("an end");
    assert_eq!(edge.hear_of().await, (vec![], vec![]));
}

#[tokio::test]
async fn a_reading_of_several_pages_loses_and_adds_nothing_while_others_commit() {
    let api = Api::start().await;
    let mut connection = api.pool.acquire().await.expect("a connection");
    let mut open = api.pool.begin().await.expect("a transaction");
    revoke_range(&mut open, 50_001, 50_010).await;
    let page = MAX_PAGE as u64;
    let all = 2 * page + 100;
    revoke_range(&mut connection, 1, all / 2).await;
    revoke_range(&mut connection, all / 2 + 1, all).await;

    let (mut edge, mut heard, mut pages) = (Edge::of(&api), Vec::new(), 0);
    let mut open = Some(open);
    loop {
        let feed = edge.hear().await;
        heard.extend(feed.revoked.sessions.iter().map(|RevokedSession(id, _)| *id));
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
    assert_eq!(pages, 3);
    assert_eq!(heard, (1..=all).collect::<Vec<_>>());
    let (late, _) = edge.hear_of().await;
    assert_eq!(late, (50_001..=50_010).chain([60_001, 60_002]).collect::<Vec<_>>());
    assert_eq!(edge.hear_of().await, (vec![], vec![]));
}

#[tokio::test]
async fn pages_follow_the_transactions_numbers_and_not_their_digits() {
    let api = Api::start().await;
    let add = "insert into revocations (xact, session_id, expires_at)
               select $1::text::xid8, id, '2040-01-01' from generate_series($2::bigint, $3::bigint) as id";
    let page = i64::try_from(MAX_PAGE).expect("a number");
    for (xact, first, last) in [("9", 1, 1), ("10", 2, page + 100)] {
        let rows = sqlx::query(add).bind(xact).bind(first).bind(last).execute(&api.pool).await;
        rows.expect("revocations");
    }
    let mut edge = Edge::of(&api);
    let first = edge.hear().await;
    assert_eq!((first.revoked.sessions.len(), first.more), (MAX_PAGE, true));
    let rest: Vec<_> = (MAX_PAGE as u64 + 1..=MAX_PAGE as u64 + 100).collect();
    assert_eq!(edge.hear_of().await, (rest, vec![]));
}

#[tokio::test]
async fn whatever_is_cut_into_pages_of_users_and_sessions_comes_whole() {
    let api = Api::start().await;
    let mixed = "insert into revocations (session_id, user_id, not_before, expires_at)
                 select case when id % 2 = 0 then id end, case when id % 2 = 1 then id end,
                        case when id % 2 = 1 then timestamptz '2030-01-01' end, '2040-01-01'
                 from generate_series(1, $1::bigint) as id";
    let all = i64::try_from(MAX_PAGE).expect("a number");
    sqlx::query(mixed).bind(all).execute(&api.pool).await.expect("revocations");
    let mut edge = Edge::of(&api);
    let first = edge.hear().await;
    assert_eq!((first.revoked.sessions.len(), first.revoked.users.len()), (MAX_PAGE / 2, MAX_PAGE / 2));
    assert!(first.more, "the page is full");
    assert_eq!(edge.hear_of().await, (vec![], vec![]));
}

#[tokio::test]
async fn same_request_has_the_same_response() {
    let api = Api::start().await;
    let mut edge = Edge::of(&api);
    edge.hear().await;
    let mut connection = api.pool.acquire().await.expect("a connection");
    revoke(&mut connection, &api, [1, 2]).await;
    let asked = edge.cursor.clone();
    let first = edge.hear().await;
    edge.cursor = asked;
    // But for the cursor: the server has other databases, whose transactions count on.
    assert_eq!(edge.hear().await.revoked, first.revoked);
}

#[tokio::test]
async fn from_a_cursor_that_means_nothing_here_everything_is_told() {
    let api = Api::start().await;
    let mut edge = Edge::of(&api);
    let mut connection = api.pool.acquire().await.expect("a connection");
    revoke(&mut connection, &api, [1, 2]).await;
    edge.hear().await;
    let (history, _) = edge.cursor.split_once('.').expect("a history");
    let history = history.to_owned();
    for cursor in [
        String::new(),
        "0".to_owned(),
        "~".repeat(2048),
        "%00".to_owned(),
        "%27".to_owned(),
        "7-another.1:1:".to_owned(),
        format!("{history}.1000000000:1000000000:"),
        format!("{history}.1:1:~1000000000:1000000000:~1000000000-7"),
        format!("{history}.0:1:"),
        format!("{history}.18446744073709551615:18446744073709551615:"),
        format!("{history}.1:1:~2:2:~18446744073709551616-7"),
    ] {
        edge.cursor.clone_from(&cursor);
        assert_eq!(edge.hear_of().await, (vec![1, 2], vec![]), "{cursor}");
        assert_eq!(edge.hear_of().await, (vec![], vec![]), "{cursor}");
    }
}

#[tokio::test]
async fn after_a_crash_or_a_failover_every_cursor_begins_anew() {
    let api = Api::start().await;
    let (mut edge, mut other) = (Edge::of(&api), Edge::of(&api));
    let mut connection = api.pool.acquire().await.expect("a connection");
    revoke(&mut connection, &api, [1]).await;
    assert_eq!(edge.hear_of().await, (vec![1], vec![]));
    // What Postgres does to an unlogged table then.
    connection.execute("truncate edge_feed_history").await.expect("an empty table");
    assert_eq!(edge.hear_of().await, (vec![1], vec![]));
    assert_eq!(other.hear_of().await, (vec![1], vec![]));
    assert_eq!(edge.hear_of().await, (vec![], vec![]));
}

#[tokio::test]
async fn what_was_restored_from_another_servers_dump_is_heard_once() {
    let api = Api::start().await;
    let mut edge = Edge::of(&api);
    edge.hear().await;
    let mut connection = api.pool.acquire().await.expect("a connection");
    let restored = "insert into revocations (xact, session_id, expires_at)
                    values ('9000000000000', 7, '2040-01-01')";
    connection.execute(restored).await.expect("a row");
    assert_eq!(edge_feed::adopt_restored(&mut connection).await.expect("an update"), 1);
    assert_eq!(edge_feed::adopt_restored(&mut connection).await.expect("an update"), 0);
    assert_eq!(edge.hear_of().await, (vec![7], vec![]));
    assert_eq!(edge.hear_of().await, (vec![], vec![]));
}

#[tokio::test]
async fn what_has_expired_is_not_told_and_goes_in_batches() {
    let api = Api::start().await;
    let mut connection = api.pool.acquire().await.expect("a connection");
    revoke(&mut connection, &api, 1..=1001).await;
    api.clock.advance(Duration::hours(1));
    revoke(&mut connection, &api, [5000]).await;
    assert_eq!(Edge::of(&api).hear_of().await, (vec![5000], vec![]));
    let now = api.clock.now();
    let mut delete = async || revocations::delete_expired(&mut connection, now).await.expect("a batch");
    assert_eq!((delete().await, delete().await, delete().await), (true, false, false));
    assert_eq!(api.revoked_sessions().await, [5000]);
    assert_eq!(api.count_revocations().await, 1);
}

#[tokio::test]
async fn whoever_asks_must_know_a_secret_if_there_is_one() {
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

#[tokio::test]
async fn many_who_commit_at_once_are_all_heard() {
    let api = Api::start().await;
    let writers: Vec<_> = (0..6_i64)
        .map(|writer| {
            let pool = api.database.pool();
            let until = api.clock.now() + Duration::hours(1);
            tokio::spawn(async move {
                for step in 0..50 {
                    let mut transaction = pool.begin().await.expect("a transaction");
                    let session = 1 + writer * 50 + step;
                    note_ended(&mut transaction, session, until).await;
                    tokio::task::yield_now().await;
                    transaction.commit().await.expect("a commit");
                }
            })
        })
        .collect();
    let (mut edge, mut heard) = (Edge::of(&api), BTreeSet::new());
    let mut hear = async || {
        for session in edge.hear_of().await.0 {
            assert!(heard.insert(session), "{session} is heard once");
        }
        heard.len()
    };
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        hear().await;
    }
    assert_eq!(hear().await, 300);
}

#[tokio::test]
async fn deleted_user_is_revoked_however_the_row_was_deleted() {
    let api = Api::start().await;
    api.clock.catch_up();
    let mut edge = Edge::of(&api);
    let by_hand = "delete from users where email = 'ada@example.com'";
    for delete in [None, Some(by_hand)] {
        let mut ada = api.registered("ada@example.com").await;
        let claims = ada.claims();
        match delete {
            None => run(&api, &["user", "delete", "ada@example.com", "--yes"]),
            Some(statement) => _ = sqlx::query(statement).execute(&api.pool).await.expect("a deletion"),
        }
        let feed = edge.hear().await;
        let [RevokedUser(user, not_before, until)] = feed.revoked.users[..] else { panic!("{feed:?}") };
        assert_eq!(user.to_string(), claims.sub);
        // Tokens dated up to ten minutes ahead are refused, until the last of them has expired.
        assert_eq!(not_before + 86_400, until);
        let reference = revocation::user_until(SystemClock.now()).unix_timestamp();
        assert!((reference - 10..=reference + 1).contains(&i64::from(until)), "{until} {reference}");
        assert_eq!(ada.get("/api/auth/self").await.status, 401);
        assert_eq!(ada.post("/api/auth/refresh").await.status, 401);
    }
}
