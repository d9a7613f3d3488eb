//! Streams that end with their session, through the real Envoy with two workers, the real companion and Postgres:
//! `WebSocket` connections, event streams, gRPC streams and downloads.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use edgeward_kit::client::{Client, PASSWORD};
use edgeward_kit::journey::{client, client_at, gateway_before, keys, registered, stack};
use edgeward_kit::streams::{self, End, Kind, OpenStream, Upstream};
use edgeward_stack::envoy::Envoy;
use edgeward_stack::{http, wait};
use serde_json::json;

/// Maximum time of anything, on a busy machine. `cargo xtask bench streams` measures how soon streams end.
const PATIENCE: Duration = Duration::from_secs(20);
/// Number of streams that reach both workers with near certainty.
const MANY: usize = 12;

/// A gateway of its own before an upstream that never ends a stream.
struct Gateway {
    envoy: Envoy,
    port: u16,
    admin: u16,
}

/// Returns the one gateway of this process. Tokens are accepted until the second in which they expire.
fn gateway() -> &'static Gateway {
    static GATEWAY: OnceLock<Gateway> = OnceLock::new();
    GATEWAY.get_or_init(|| {
        let upstream = Upstream::start();
        let rule = r#"{"prefix": "/public/", "access": "public"},"#;
        let rules = [
            rule,
            r#"{"prefix": "/outlives/", "access": "signed_in", "streams": "outlive"},"#,
            r#"{"prefix": "/public-ends/", "access": "public", "streams": "end_with_session"},"#,
        ];
        let changes = [
            streams::SAME_PROTOCOL_UPSTREAM,
            (rule, &*rules.concat()),
            (r#""login_url": "/login","#, r#""login_url": "/login", "clock_skew_seconds": 0,"#),
        ];
        let (envoy, ports) = gateway_before(upstream.port(), "stream-ends", &changes).unwrap();
        let ready = || Ok(http::is_status_everywhere(ports.gateway, "/readyz", 200).then_some(()));
        wait::until("the filter's first keys", PATIENCE, ready).unwrap();
        Gateway { envoy, port: ports.gateway, admin: ports.envoy_admin }
    })
}

fn open(kind: Kind, folder: &str, user: &Client) -> OpenStream {
    OpenStream::open(kind, gateway().port, folder, &user.cookie()).unwrap()
}

/// Opens a stream of each kind.
fn open_all(folder: &str, user: &Client) -> Vec<(Kind, OpenStream)> {
    Kind::ALL.into_iter().map(|kind| (kind, open(kind, folder, user))).collect()
}

/// Returns the end of a stream that the filter closes: HTTP/2 names an internal error (RFC 9113 §7).
fn closed_end(kind: Kind) -> End {
    if kind == Kind::Grpc { End::Reset(2) } else { End::Cut }
}

async fn login(user: &Client) -> Client {
    let mut client = client(false);
    assert_eq!(client.login(&user.email, PASSWORD).await.status, 200);
    client
}

/// Streams of a session on every worker: once they have ended, each worker knows that the session has.
struct Witnesses(Vec<OpenStream>);

impl Witnesses {
    fn of(user: &Client) -> Self {
        Self((0..MANY).map(|_| open(Kind::Events, "/orders/", user)).collect())
    }

    fn see_the_end(self) {
        for mut stream in self.0 {
            stream.wait_for_end(PATIENCE);
        }
    }
}

async fn end(how: &str, user: &mut Client) {
    match how {
        "logout" => assert_eq!(user.logout().await.status, 200),
        "logout-all" => assert_eq!(user.post("/api/auth/logout-all").await.status, 200),
        "disable" => drop(stack().companion.run(&["user", "disable", &user.email]).unwrap()),
        "set-role" => drop(stack().companion.run(&["user", "set-role", &user.email, "admin"]).unwrap()),
        "delete" => drop(stack().companion.run(&["user", "delete", &user.email, "--yes"]).unwrap()),
        _ => unreachable!(),
    }
}

/// Returns a counter of the gateway.
async fn counter(name: &str) -> u64 {
    let stats = client_at(gateway().admin, false).get("/stats?filter=edgeward").await.text;
    let line = stats.lines().find(|line| line.contains(&format!("{name}: ")));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
}

#[expect(
    clippy::disallowed_methods,
    reason = "Envoy judges tokens by the wall clock, and so they are minted by it"
)]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Returns a user whose access token expires in so many seconds.
async fn expiring_in(seconds: u64) -> (Client, u64) {
    let mut user = registered(false).await;
    let expires_at = now() + seconds;
    let mut payload = serde_json::to_value(user.claims()).unwrap();
    payload["exp"] = json!(expires_at);
    let key = &keys()[0];
    user.cookies.insert("access_token".to_owned(), key.token(&key.header(), &payload.to_string()));
    (user, expires_at)
}

#[tokio::test]
async fn streams_of_every_kind_end_with_their_session() {
    for how in ["logout", "logout-all", "disable", "set-role", "delete"] {
        let mut user = registered(false).await;
        let mut streams = open_all("/orders/", &user);
        end(how, &mut user).await;
        for (kind, stream) in &mut streams {
            let (end, _) = stream.wait_for_end(PATIENCE);
            assert_eq!(end, closed_end(*kind), "{kind:?} after {how}");
        }
    }
}

#[tokio::test]
async fn streams_of_others_and_of_rules_that_let_them_outlive_stay_open() {
    let mut user = registered(false).await;
    let other = login(&user).await;
    let anonymous = client(false);
    let witnesses = Witnesses::of(&user);
    let mut streams = open_all("/orders/", &other);
    streams.extend(open_all("/outlives/", &user));
    streams.extend(open_all("/public/", &user));
    streams.extend(open_all("/public-ends/", &anonymous));
    let mut ending = open_all("/public-ends/", &user);
    assert_eq!(user.logout().await.status, 200);
    witnesses.see_the_end();
    for (kind, stream) in &mut ending {
        assert_eq!(stream.wait_for_end(PATIENCE).0, closed_end(*kind), "{kind:?}");
    }
    for (at, (kind, stream)) in streams.iter_mut().enumerate() {
        assert!(stream.is_open(), "{kind:?}, number {at}");
    }
}

#[tokio::test]
async fn stream_outlasts_its_token_as_long_as_its_session_lives() {
    let (mut user, expires_at) = expiring_in(2).await;
    let mut streams = open_all("/orders/", &user);
    let later = streams::now_ms() + (expires_at + 3 - now()) * 1000;
    for (kind, stream) in &mut streams {
        assert!(stream.reads_until(later), "{kind:?} ended with its token");
    }
    assert_eq!(user.logout().await.status, 200);
    for (kind, stream) in &mut streams {
        assert_eq!(stream.wait_for_end(PATIENCE).0, closed_end(*kind), "{kind:?}");
    }
}

#[tokio::test]
async fn stream_ends_with_its_token_if_the_session_cannot_go_on() {
    for without in ["a refresh token", "a session"] {
        let (mut user, expires_at) = expiring_in(2).await;
        if without == "a refresh token" {
            user.cookies.remove("refresh_token");
        }
        let mut streams = open_all("/orders/", &user);
        if without == "a session" {
            forget_sessions(&user).await;
        }
        for (kind, stream) in &mut streams {
            assert_eq!(stream.wait_for_end(PATIENCE).0, closed_end(*kind), "{kind:?} without {without}");
            assert!(now() >= expires_at, "{kind:?} without {without}: before its token");
        }
    }
}

/// Deletes the sessions of a user so that the feed does not tell, as a restored backup does.
async fn forget_sessions(user: &Client) {
    let pool = sqlx::PgPool::connect(&stack().companion.database_url).await.unwrap();
    let delete = "delete from refresh_tokens where user_id = (select id from users where email = $1)";
    let deleted = sqlx::query(delete).bind(&user.email).execute(&pool).await.unwrap();
    assert_eq!(deleted.rows_affected(), 1);
}

#[tokio::test]
async fn response_that_completes_is_whole_and_not_counted() {
    let user = registered(false).await;
    let mut stream = open(Kind::Grpc, "/orders/", &user);
    stream.half_close();
    assert_eq!(stream.wait_for_end(PATIENCE).0, End::Complete);
}

#[tokio::test]
async fn closed_streams_are_counted_and_logged_with_the_reason() {
    for (how, reason) in [("logout", "session_ended"), ("set-role", "token_outdated")] {
        let counter_name = format!("edgeward_streams_closed.reason.{reason}");
        let before = counter(&counter_name).await;
        let mut user = registered(false).await;
        let streams = open_all("/orders/", &user);
        end(how, &mut user).await;
        for (_, mut stream) in streams {
            stream.wait_for_end(PATIENCE);
        }
        for line in [format!(" for {reason}"), format!(r#""stream_end":"{reason}""#)] {
            wait::until("the log", PATIENCE, || Ok(gateway().envoy.log().contains(&line).then_some(())))
                .unwrap();
        }
        let mut counted = counter(&counter_name).await - before;
        let start = std::time::Instant::now();
        // Envoy merges the workers' counters now and then.
        while counted < 4 && start.elapsed() < PATIENCE {
            counted = counter(&counter_name).await - before;
        }
        assert!(counted >= 4, "{counted} streams counted");
    }
}
