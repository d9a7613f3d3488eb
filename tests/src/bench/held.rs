//! What a refresh at the edge costs: the one request that pays for it, and the memory of an Envoy that holds many.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Client, Method};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::journey::{self, User, client, stack};
use crate::stack::process;

/// So many requests of each kind are not measured: at first, everything is slower.
pub const WARM_UP: usize = 10;
/// How long a held request waits at most: longer than usual, for 1,000 refreshes take their time on a small machine.
const REFRESH: [&str; 2] =
    [r#""path": "/internal/edge-refresh"}"#, r#""path": "/internal/edge-refresh", "timeout_ms": 25000}"#];
/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_millis(20);
/// So many connections in a row reach every worker, as far as anybody can tell.
const EVERYWHERE: usize = 16;

/// The middle of the times that requests took.
#[derive(Clone, Copy, Debug)]
pub struct Added {
    /// With a valid access token.
    pub valid: Duration,
    /// With none: they were held for a new one.
    pub refreshed: Duration,
}

/// Sends so many requests of each kind through the stack's gateway, in turn.
pub async fn added(http2: bool, samples: usize) -> Result<Added> {
    let mut user = User::register(&client(http2)).await;
    let (mut valid, mut refreshed) = (Vec::new(), Vec::new());
    for sample in 0..samples + WARM_UP {
        for (times, cookie) in [(&mut valid, ""), (&mut refreshed, "access_token")] {
            user.cookies.remove(cookie);
            let start = Instant::now();
            let response = user.send(Method::GET, "/orders", &[]).await;
            ensure!(response.status() == 200, "a signed-in request was answered with {}", response.status());
            response.bytes().await?;
            if sample >= WARM_UP {
                times.push(start.elapsed());
            }
        }
    }
    Ok(Added { valid: median(valid), refreshed: median(refreshed) })
}

/// What an Envoy that held requests had in RAM, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// How many were held.
    pub held: usize,
    /// When everybody had a connection.
    pub connected: u64,
    /// When all requests were held.
    pub holding: u64,
    /// From when the companion went on to the last answer.
    pub drained: Duration,
}

/// Holds requests of so many sessions at once, at an Envoy of their own, while the companion does not move.
pub async fn hold(requests: usize, sessions: usize) -> Result<Held> {
    let [from, to] = REFRESH;
    let (envoy, ports) = journey::another_gateway("held", &[(from, to)])?;
    let mut users = Vec::new();
    let registering = client(false);
    for _ in 0..sessions {
        users.push(User::register(&registering).await.cookies);
    }
    let cookies = |name: &str| -> Vec<String> {
        users.iter().cycle().take(requests).map(|cookies| format!("{name}={}", cookies[name])).collect()
    };
    let (valid, refresh) = (cookies("access_token"), cookies("refresh_token"));
    let mut good = 0;
    until("the gateway's keys", async || {
        let status = ask(&client(false), ports.gateway, &valid[0]).await?;
        good = if status == 200 { good + 1 } else { 0 };
        Ok(good == EVERYWHERE)
    })
    .await?;

    let clients: Vec<Client> = (0..requests).map(|_| client(false)).collect();
    // One after the other: the memory of requests at once is what is measured.
    for (client, cookie) in clients.iter().zip(&valid) {
        ensure!(ask(client, ports.gateway, cookie).await? == 200, "a valid token is not good");
    }
    let connected = process::resident(envoy.pid())?;
    let paused = Paused::companion()?;
    let mut held: JoinSet<Result<u16>> = clients
        .into_iter()
        .zip(refresh)
        .map(|(client, cookie)| async move { ask(&client, ports.gateway, &cookie).await })
        .collect();
    let mut answered = 0;
    let active =
        format!("http://127.0.0.1:{}/stats?filter=http.gateway.downstream_rq_active", ports.envoy_admin);
    until("the requests to be held", async || {
        // One that is not held, for there are too many on its worker, is answered at once.
        answered += std::iter::from_fn(|| held.try_join_next()).count();
        let stats = registering.get(&active).timeout(LIMIT).send().await?.text().await?;
        let active: usize = stats.trim().rsplit(' ').next().context("no figure")?.parse()?;
        Ok(active + answered >= requests)
    })
    .await?;
    let holding = process::resident(envoy.pid())?;
    drop(paused);
    let resumed = Instant::now();
    judge(held).await?;
    Ok(Held { held: requests - answered, connected, holding, drained: resumed.elapsed() })
}

async fn ask(client: &Client, port: u16, cookie: &str) -> Result<u16> {
    let request = client.get(format!("http://127.0.0.1:{port}/orders")).header("cookie", cookie);
    let response = request.timeout(LIMIT).send().await?;
    let status = response.status().as_u16();
    response.bytes().await?;
    Ok(status)
}

/// An error unless all are answered with 200.
async fn judge(mut answers: JoinSet<Result<u16>>) -> Result<()> {
    let (mut wrong, mut last) = (0_u32, 200);
    while let Some(answer) = answers.join_next().await {
        let status = answer??;
        if status != 200 {
            (wrong, last) = (wrong + 1, status);
        }
    }
    ensure!(wrong == 0, "{wrong} were not answered with 200, the last with {last}");
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

/// The companion, which answers nobody until this is dropped.
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
        // One that has ended needs no waking.
        _ = kill(self.0, Signal::SIGCONT);
    }
}
