//! Ten thousand gateways that poll each second through nginx's cache, a million live revocations, a companion and the
//! database that end without notice in between: what reaches companions and Postgres, and how long a logout takes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use edgeward_companion::db::{databases, schema};
use edgeward_kit::database::Database;
use edgeward_kit::fault_proxy::FaultProxy;
use edgeward_kit::feed_cache::{self, FeedCache};
use edgeward_kit::feed_gateway::{FIRST, Gateway, Link, Received, SECRET};
use edgeward_kit::service::{Service, edgeward};
use edgeward_stack::{Postgres, paths, postgres};
use sqlx::{ConnectOptions as _, Executor as _, PgConnection};
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep_until};

const LIVE: i64 = 1_000_000;
const GATEWAYS: usize = 10_000;
const CONNECTIONS: usize = 100;
const SECONDS: u64 = 60;
/// Seconds after the start at which a companion, and the database, end without notice.
const COMPANION_ENDS: u64 = 15;
const DATABASE_ENDS: u64 = 30;
const LOGOUTS_A_SECOND: u64 = 20;

async fn count(service: &str, metric: &str) -> i64 {
    let text = reqwest::get(format!("http://{service}/metrics")).await;
    let text = text.expect("metrics").text().await.expect("text");
    let value = |line: &str| line.strip_prefix(metric)?.rsplit(' ').next()?.parse::<i64>().ok();
    text.lines().filter_map(value).sum()
}

async fn connect(url: &str) -> PgConnection {
    url.parse::<sqlx::postgres::PgConnectOptions>()
        .expect("an address")
        .connect()
        .await
        .expect("a connection")
}

/// Makes a database with a million live revocations.
async fn fill(server: &Postgres) -> PgConnection {
    let connection = connect(&server.url(databases::MAINTENANCE)).await;
    databases::create(&mut connection.into(), "gateways").await.expect("a database");
    let mut connection = connect(&server.url("gateways")).await;
    schema::run(&mut connect(&server.url("gateways")).await.into()).await.expect("the migrations");
    let insert = "insert into revocations (session_id, expires_at)
                select id, now() + interval '1 day' from generate_series(1, $1::bigint) as id";
    sqlx::query(insert).bind(LIVE).execute(&mut connection).await.expect("revocations");
    connection.execute("analyze revocations").await.expect("statistics");
    connection
}

/// Starts one gateway from nothing, then nine at once. Returns the tag of the keys, and the first gateway: the others begin
/// where it has come to.
async fn start_gateways(port: u16, received: &Arc<Received>) -> (String, Gateway) {
    let began = Instant::now();
    let mut first = Gateway::default();
    let mut link = Link::open(port, "").await;
    let keys = link.poll("", received).await.expect("a feed").keys.etag.clone();
    link.keys.clone_from(&keys);
    first.poll(&mut link, received).await;
    let alone = began.elapsed();
    let began = Instant::now();
    let starts: Vec<_> = (0..9)
        .map(|_| {
            let (received, keys) = (Arc::clone(received), keys.clone());
            tokio::spawn(async move {
                let mut gateway = Gateway::default();
                gateway.poll(&mut Link::open(port, &keys).await, &received).await;
            })
        })
        .collect();
    for start in starts {
        start.await.expect("a start");
    }
    println!(
        "{LIVE} revocations from nothing: {alone:.2?}; nine more gateways at once: {:.2?}",
        began.elapsed()
    );
    (keys, first)
}

/// Lets all gateways poll each second, a hundred over each connection.
fn poll_all(
    port: u16,
    keys: &str,
    first: &Gateway,
    received: &Arc<Received>,
) -> Vec<JoinHandle<Vec<Gateway>>> {
    (0..CONNECTIONS)
        .map(|connection| {
            let (received, keys, first) = (Arc::clone(received), keys.to_owned(), first.clone());
            tokio::spawn(async move {
                let mut link = Link::open(port, &keys).await;
                let mut gateways = vec![first; GATEWAYS / CONNECTIONS];
                // Each gateway has its own moment within the second.
                let step = Duration::from_secs(1) / u32::try_from(gateways.len()).expect("a number");
                let mut due =
                    tokio::time::Instant::now() + step * u32::try_from(connection).expect("a number") / 100;
                // The last rounds are after the last logout.
                for _ in 0..SECONDS + 5 {
                    for gateway in &mut gateways {
                        sleep_until(due).await;
                        gateway.poll(&mut link, &received).await;
                        due += step;
                    }
                }
                gateways
            })
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes two minutes, and nginx: cargo xtask test --test feed_gateways -- --ignored --nocapture"]
async fn no_gateway_of_ten_thousand_misses_a_logout() {
    if !feed_cache::is_available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert!(edgeward(folder.path()).args(["keys", "generate"]).status().expect("an end").success());
    let data = paths::target().join("tmp/postgres/feed_gateways");
    postgres::erase(&data).expect("a folder of our own");
    std::fs::create_dir_all(&data).expect("a folder of our own");
    let start_server = || Postgres::start(&data, &mut |line| eprintln!("{line}")).expect("Postgres");
    let mut server = start_server();
    let mut connection = fill(&server).await;
    let (proxy, url) = FaultProxy::start_before(&server.url("gateways")).await;
    let database = Database { url };
    let settings = [("FEED_SECRET", SECRET), ("DB_POOL_SIZE", "4")];
    let start = || Service::start_with(&database, folder.path(), &settings);
    let mut companions = vec![start(), start()];
    let cache = FeedCache::start(folder.path(), [&companions[0].internal, &companions[1].internal]);
    let port = cache.port;
    let received = Arc::new(Received::default());
    let (keys, first) = start_gateways(port, &received).await;

    received.polls.store(0, Ordering::Relaxed);
    let internals: Vec<String> = companions.iter().map(|companion| companion.internal.clone()).collect();
    let polled = "edgeward_edge_feed_polls_total";
    let read = "edgeward_edge_feed_reads_total";
    let (mut polls, mut reads) = (0, 0);
    for internal in &internals {
        polls -= count(internal, polled).await;
        reads -= count(internal, read).await;
    }
    let began = Instant::now();
    let workers = poll_all(port, &keys, &first, &received);
    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(LOGOUTS_A_SECOND).expect("a number"));
    let mut done = 0_u64;
    let mut outage = Duration::ZERO;
    while done < SECONDS * LOGOUTS_A_SECOND {
        ticks.tick().await;
        if done == COMPANION_ENDS * LOGOUTS_A_SECOND && companions.len() == 2 {
            polls += count(&internals[1], polled).await;
            reads += count(&internals[1], read).await;
            companions.pop();
        }
        if done == DATABASE_ENDS * LOGOUTS_A_SECOND && outage.is_zero() {
            let ended = Instant::now();
            server.kill();
            server = start_server();
            proxy.set_server(server.port());
            connection = connect(&server.url("gateways")).await;
            outage = ended.elapsed();
        }
        let insert = "insert into revocations (session_id, expires_at) values ($1, now() + interval '1 day')";
        let session = i64::try_from(FIRST + done).expect("a number");
        // Before the commit: a gateway may have it first.
        received.logouts.lock().expect("logouts").push(Instant::now());
        sqlx::query(insert).bind(session).execute(&mut connection).await.expect("a logout");
        done += 1;
    }
    let mut missed = 0;
    for worker in workers {
        for gateway in worker.await.expect("gateways") {
            let seen = gateway.seen.iter().filter(|seen| **seen).count();
            missed += usize::try_from(done).expect("a number") - seen;
        }
    }
    let took = began.elapsed();
    polls += count(&internals[0], polled).await;
    reads += count(&internals[0], read).await;
    let total = received.polls.load(Ordering::Relaxed);
    println!(
        "{total} polls in {took:.1?}, {:.0} a second, {} without a response of the feed; the database was away for {outage:.1?}",
        f64::from(u32::try_from(total).expect("a count")) / took.as_secs_f64(),
        received.failed.load(Ordering::Relaxed),
    );
    println!("reached a companion: {polls}; reads of Postgres: {reads}");
    println!(
        "{done} logouts at {GATEWAYS} gateways: median {:.2?}, p99 {:.2?}, p99.9 {:.2?}; missed: {missed}",
        received.delay(500),
        received.delay(990),
        received.delay(999),
    );
    assert_eq!(missed, 0);
    drop(server);
}
