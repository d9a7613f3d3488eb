//! Edge feed with a million live revocations: the companion's cost of catching up and of polling.

use std::time::{Duration, Instant};

use edgeward_kit::database;
use edgeward_kit::service::{Service, edgeward};
use edgeward_wire::EdgeFeed;
use tokio::time::interval;

const LIVE: i64 = 1_000_000;
const POLLERS: u32 = 200;
const SECONDS: u32 = 10;

/// Returns the processor time that a process has used (proc(5): fields 14 and 15, in hundredths of a second).
fn cpu(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    let ticks = fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().expect("ticks"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

async fn poll(http: &reqwest::Client, url: &str, cursor: &str, etag: &str) -> EdgeFeed {
    let response = http.get(format!("{url}?after={cursor}&keys={etag}")).send().await.expect("a response");
    response.json().await.expect("a feed")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: cargo xtask test --test feed_scale -- --ignored --nocapture"]
async fn a_million_revocations_are_caught_up_with_in_ten_seconds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert!(edgeward(folder.path()).args(["keys", "generate"]).status().expect("an end").success());
    let database = database::fresh().await;
    let pool = database.pool();
    let fill = "insert into revocations (session_id, expires_at)
                select id, now() + interval '1 day' from generate_series(1, $1::bigint) as id";
    sqlx::query(fill).bind(LIVE).execute(&pool).await.expect("revocations");
    sqlx::query("analyze revocations").execute(&pool).await.expect("statistics");
    let service = Service::start(&database, folder.path());
    let url = format!("http://{}/internal/edge-feed", service.internal);
    let http = reqwest::Client::new();

    let (started, before) = (Instant::now(), cpu(service.pid()));
    let (mut feed, mut received, mut pages) = (poll(&http, &url, "", "").await, 0, 1);
    received += feed.revoked.sessions.len();
    while feed.more {
        feed = poll(&http, &url, &feed.cursor, &feed.keys.etag).await;
        received += feed.revoked.sessions.len();
        pages += 1;
    }
    let (took, used) = (started.elapsed(), cpu(service.pid()).saturating_sub(before));
    println!("caught up with {received} in {pages} pages: {took:.2?}, companion CPU {used:.2?}");
    assert_eq!(received, usize::try_from(LIVE).expect("a number"));

    // One more revocation each second, so that polls are not empty.
    let before = cpu(service.pid());
    let pollers: Vec<_> = (0..POLLERS)
        .map(|_| {
            let (http, url, mut feed) = (http.clone(), url.clone(), feed.clone());
            tokio::spawn(async move {
                let (mut ticks, mut received, mut slowest) =
                    (interval(Duration::from_secs(1)), 0, Duration::ZERO);
                for _ in 0..SECONDS {
                    ticks.tick().await;
                    let started = Instant::now();
                    feed = poll(&http, &url, &feed.cursor, &feed.keys.etag).await;
                    slowest = slowest.max(started.elapsed());
                    received += feed.revoked.sessions.len();
                }
                (received, slowest)
            })
        })
        .collect();
    let mut ticks = interval(Duration::from_secs(1));
    for _ in 0..SECONDS {
        ticks.tick().await;
        sqlx::query(fill).bind(1_i64).execute(&pool).await.expect("a revocation");
    }
    let mut slowest = Duration::ZERO;
    for poller in pollers {
        slowest = slowest.max(poller.await.expect("a poller").1);
    }
    let used = cpu(service.pid()).saturating_sub(before);
    let polls = POLLERS * SECONDS;
    let share = used.as_secs_f64() / f64::from(SECONDS) * 100.0;
    println!(
        "{polls} polls: companion CPU {:.2?} each, {share:.1} % of a core; slowest {slowest:.2?}",
        used / polls
    );
    assert!(took < Duration::from_secs(10), "{took:.2?}");
}
