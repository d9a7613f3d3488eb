//! `bench refresh`: rate of refreshes in the companion with a durable Postgres (fsync, synchronous commit), the time of
//! their steps, and their cost at the edge.

mod client;
mod figures;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::runtime::Runtime;

use super::flood::NO_LIMITS;
use super::scene::Scene;
use super::{Effort, machine};
use client::{Refresher, cookie};
use edgeward_kit::journey::VERSIONS;
use edgeward_kit::journey::held::{self, Held, RefreshTimes};
use edgeward_kit::mint::Key;
use figures::{Rate, Steps};

/// Number of clients. Each refreshes one session after the other, and waits for the response before the next request.
const CLIENTS: usize = 24;
/// Number of sessions of each client. Each is refreshed about every second, while a browser does so every hour: the grace
/// period decides if that is within it.
const SESSIONS: usize = 64;
/// Number of measurements of each step of a refresh.
const STEPS: usize = 1000;
/// Name, options of Postgres (its defaults, or without waiting for the disk) and grace period in seconds: 0 for refreshes
/// after it, as nearly all are, 10 for refreshes within it.
const CASES: [(&str, &[&str], &str); 4] = [
    ("as durable as it comes", &[], "0"),
    ("without waiting for the disk", &["-c", "synchronous_commit=off"], "0"),
    ("as durable as it comes, within the grace period", &[], "10"),
    ("without waiting for the disk, within the grace period", &["-c", "synchronous_commit=off"], "10"),
];
/// Number of requests that are held at once, and number of their sessions.
const HELD: [(usize, usize); 2] = [(1000, 100), (1000, 1000)];

/// Measures, and prints the figures.
pub fn refresh(effort: Effort, log: &mut dyn FnMut(&str)) -> Result<()> {
    println!("{} processors: {}", machine::processors(), machine::processor_name());
    let sign = measure_signing()?;
    println!("processor time of signing one access token: {} µs", sign.as_micros());
    for (name, options, grace_s) in CASES {
        log(&format!("measuring the companion, its Postgres {name}"));
        let scene = Scene::start(options, &[&[("REFRESH_GRACE_SECONDS", grace_s)][..], &NO_LIMITS].concat())?;
        println!("{name}: {}", measure_rate(&scene, Duration::from_secs(effort.seconds))?);
        println!("{name}, one client: {}", measure_steps(&scene)?);
    }
    log("measuring at the edge");
    let runtime = Runtime::new()?;
    for (version, http2) in ["HTTP/1.1", "HTTP/2"].into_iter().zip(VERSIONS) {
        let RefreshTimes { valid, refreshed } =
            runtime.block_on(held::measure_refresh(http2, effort.requests / 16))?;
        let more = refreshed.saturating_sub(valid);
        println!("by {version}: {valid:.2?} with a valid token, {refreshed:.2?} refreshed: {more:.2?} more");
    }
    for (requests, sessions) in HELD {
        log(&format!("holding {requests} requests of {sessions} sessions"));
        let Held { held, connected, holding, drained } = runtime.block_on(held::hold(requests, sessions))?;
        println!(
            "{held} of {requests} requests held, of {sessions} sessions: {:.1} MiB more than with their connections; \
             all responses were there {drained:.1?} after the companion was resumed",
            mib(holding.saturating_sub(connected))
        );
    }
    Ok(())
}

fn mib(bytes: u64) -> f64 {
    u32::try_from(bytes >> 10).map_or(f64::INFINITY, f64::from) / 1024.0
}

/// Refreshes with all clients at once for this time.
fn measure_rate(scene: &Scene, time: Duration) -> Result<Rate> {
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        clients.push(Refresher::sign_in(scene.ports.companion, number)?);
    }
    let before = scene.cpu()?;
    let start = Instant::now();
    let latencies: Vec<Vec<Duration>> = thread::scope(|scope| {
        let running: Vec<_> =
            clients.iter_mut().map(|client| scope.spawn(|| client.run_until(start + time))).collect();
        running.into_iter().map(|client| client.join().expect("a client")).collect::<Result<_>>()
    })?;
    let elapsed = start.elapsed();
    let after = scene.cpu()?;
    let mut latencies = latencies.concat();
    latencies.sort_unstable();
    let count = u32::try_from(latencies.len())?;
    let at = |part: usize| latencies.get(latencies.len() * part / 100).copied().unwrap_or_default();
    Ok(Rate {
        per_second: f64::from(count) / elapsed.as_secs_f64(),
        latency: [at(50), at(99)],
        cpu: [0, 1, 2].map(|part: usize| after[part].saturating_sub(before[part]) / count.max(1)),
    })
}

/// Measures the steps of a refresh with one client.
fn measure_steps(scene: &Scene) -> Result<Steps> {
    let mut client = Refresher::sign_in(scene.ports.companion, CLIENTS)?;
    let ended = client.tokens.pop().context("no session")?;
    client.post("logout", &cookie(&ended))?;
    client.tokens.truncate(SESSIONS / 2);
    let mut times = [const { Vec::new() }; 3];
    for step in 0..STEPS {
        let at = step % client.tokens.len();
        let refresh = client.tokens[at].clone();
        for (times, (headers, status)) in
            times.iter_mut().zip([(String::new(), 401), (cookie(&ended), 401), (cookie(&refresh), 200)])
        {
            let start = Instant::now();
            let (actual, token) = client.post("refresh", &headers)?;
            times.push(start.elapsed());
            if actual != status {
                bail!("the status of a refresh is {actual} instead of {status}");
            }
            if let Some(token) = token {
                client.tokens[at] = token;
            }
        }
    }
    let [without_token, ended_session, refreshed] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    Ok(Steps { without_token, ended_session, refreshed })
}

/// Returns the processor time of one signature.
fn measure_signing() -> Result<Duration> {
    const TIMES: u32 = 500;
    let (key, message) = (Key::generate(""), "x".repeat(300));
    let used = || machine::cpu_time(std::process::id());
    let start = used()?;
    for _ in 0..TIMES {
        assert!(!key.seal(&message).is_empty(), "a key that signs");
    }
    Ok(used()?.saturating_sub(start) / TIMES)
}
