//! Cost of a refresh at the edge: the time of the request that is held for it, and the memory of an Envoy that holds many.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::Client;
use crate::journey::{self, client_at, registered, stack};
use edgeward_stack::process;

/// Number of requests of each kind that are not measured: the first ones are slower.
pub const WARM_UP: usize = 10;
/// Change of the longest time that a request is held: 1,000 refreshes take a while on a small machine.
const REFRESH: [&str; 2] =
    [r#""path": "/internal/edge-refresh"}"#, r#""path": "/internal/edge-refresh", "timeout_ms": 25000}"#];
/// Longest time that anything may take.
const LIMIT: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_millis(20);
/// Number of connections in a row that reach every worker with near certainty. Chosen: with two workers, 1 in 32,768 runs
/// misses one.
const EVERYWHERE: usize = 16;

/// Median times of requests.
#[derive(Clone, Copy, Debug)]
pub struct RefreshTimes {
    /// With a valid access token.
    pub valid: Duration,
    /// Without one: they were held for a new one.
    pub refreshed: Duration,
}

/// Sends `samples` requests of each kind through the stack's gateway, in turn.
pub async fn measure_refresh(http2: bool, samples: usize) -> Result<RefreshTimes> {
    let mut user = registered(http2).await;
    let (mut valid, mut refreshed) = (Vec::new(), Vec::new());
    for sample in 0..samples + WARM_UP {
        for (times, cookie) in [(&mut valid, ""), (&mut refreshed, "access_token")] {
            user.cookies.remove(cookie);
            let start = Instant::now();
            let status = user.get("/orders").await.status;
            ensure!(status == 200, "the response to a signed-in request is {status}");
            if sample >= WARM_UP {
                times.push(start.elapsed());
            }
        }
    }
    Ok(RefreshTimes { valid: median(valid), refreshed: median(refreshed) })
}

/// Memory of an Envoy that held requests, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Number of requests held.
    pub held: usize,
    /// Memory when every client had a connection.
    pub connected: u64,
    /// Memory when all requests were held.
    pub holding: u64,
    /// Time from when the companion was resumed to the last response.
    pub drained: Duration,
}

/// Holds requests of a number of sessions at once, at an Envoy of their own, while the companion is stopped.
pub async fn hold(requests: usize, sessions: usize) -> Result<Held> {
    let [from, to] = REFRESH;
    let (envoy, ports) = journey::another_gateway("held", &[(from, to)])?;
    let mut users = Vec::new();
    for _ in 0..sessions {
        users.push(registered(false).await);
    }
    let with = |name: &str, user: usize| {
        let mut client = client_at(ports.gateway, false);
        client.cookies = users[user % sessions].clone_with(&[name]).cookies;
        client
    };
    let mut good = 0;
    until("the gateway's keys", async || {
        let status = get(&mut with("access_token", 0)).await?;
        good = if status == 200 { good + 1 } else { 0 };
        Ok(good == EVERYWHERE)
    })
    .await?;

    let mut clients: Vec<Client> = (0..requests).map(|user| with("access_token", user)).collect();
    // One after the other: the memory of simultaneous requests is measured below.
    for client in &mut clients {
        ensure!(get(client).await? == 200, "a valid token was rejected");
    }
    let connected = process::resident(envoy.pid())?;
    let paused = Paused::companion()?;
    let mut held: JoinSet<Result<u16>> = JoinSet::new();
    for (user, mut client) in clients.into_iter().enumerate() {
        client.cookies = with("refresh_token", user).cookies;
        held.spawn(async move { get(&mut client).await });
    }
    let mut rejected = 0;
    let admin = reqwest::Client::new();
    let active =
        format!("http://127.0.0.1:{}/stats?filter=http.gateway.downstream_rq_active", ports.envoy_admin);
    until("the requests to be held", async || {
        // A request beyond the limit of its worker is rejected at once.
        rejected += std::iter::from_fn(|| held.try_join_next()).count();
        let stats = admin.get(&active).timeout(LIMIT).send().await?.text().await?;
        let active: usize = stats.trim().rsplit(' ').next().context("no figure")?.parse()?;
        Ok(active + rejected >= requests)
    })
    .await?;
    let holding = process::resident(envoy.pid())?;
    drop(paused);
    let resumed = Instant::now();
    require_all_ok(held).await?;
    Ok(Held { held: requests - rejected, connected, holding, drained: resumed.elapsed() })
}

async fn get(client: &mut Client) -> Result<u16> {
    let request = client.request(Method::GET, "/orders").timeout(LIMIT);
    Ok(client.try_send(request).await?.status)
}

/// Returns an error unless every status is 200.
async fn require_all_ok(mut requests: JoinSet<Result<u16>>) -> Result<()> {
    let (mut wrong, mut last) = (0_u32, 200);
    while let Some(status) = requests.join_next().await {
        let status = status??;
        if status != 200 {
            (wrong, last) = (wrong + 1, status);
        }
    }
    ensure!(wrong == 0, "{wrong} responses were not 200, the last was {last}");
    Ok(())
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !done().await? {
        if start.elapsed() > LIMIT {
            bail!("{what} took longer than {LIMIT:?}");
        }
        sleep(INTERVAL).await;
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Stopped companion, resumed when this is dropped.
struct Paused(Pid);

impl Paused {
    fn companion() -> Result<Self> {
        let pid = stack().companion_pid().context("there is no companion")?;
        let pid = Pid::from_raw(pid.try_into()?);
        kill(pid, Signal::SIGSTOP)?;
        Ok(Self(pid))
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        // A companion that has ended needs no signal.
        _ = kill(self.0, Signal::SIGCONT);
    }
}
