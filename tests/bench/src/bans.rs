//! `bench bans`: processor time of the companion while a banned client floods the gateway with logins, beside the same flood
//! from one with a made-up device cookie, which passes the gateway, and from a client that is not banned.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use reqwest::StatusCode;
use sqlx::{Connection as _, PgConnection};
use tokio::runtime::Runtime;

use super::{Effort, machine};
use edgeward_kit::journey::{another_gateway, stack};
use edgeward_stack::{http, wait};

/// Maximum time that anything may take.
const LIMIT: Duration = Duration::from_secs(20);
/// Number of clients. Each sends one login after the other over one connection.
const CLIENTS: usize = 16;
/// Address that is banned, and one that is not: the gateway trusts one proxy.
const BANNED: &str = "203.0.113.7";
const OTHER: &str = "203.0.113.8";

/// Flood of logins.
struct Flood {
    logins: usize,
    rejected: usize,
    companion: Duration,
    elapsed: Duration,
}

/// Measures, and prints a line for each flood and one for the time without any.
pub fn bans(effort: Effort, log: &mut dyn FnMut(&str)) -> Result<()> {
    println!("{} processors: {}", machine::processors(), machine::processor_name());
    let runtime = Runtime::new()?;
    log("starting the stack and a gateway of two workers");
    let (_envoy, ports) = another_gateway("bans", &[("xff_num_trusted_hops: 0", "xff_num_trusted_hops: 1")])?;
    wait::until("the filter's first keys", LIMIT, || {
        Ok(http::is_status_everywhere(ports.gateway, "/readyz", 200).then_some(()))
    })?;
    runtime.block_on(ban())?;
    wait::until("the ban", LIMIT, || {
        let statuses: Vec<StatusCode> = (0..20)
            .map(|_| runtime.block_on(log_in(&reqwest::Client::new(), ports.gateway, BANNED, "")))
            .collect::<Result<_>>()?;
        Ok(statuses.iter().all(|status| *status == StatusCode::TOO_MANY_REQUESTS).then_some(()))
    })?;
    let time = Duration::from_secs(effort.seconds);
    log("measuring the companion without requests");
    let before = companion_cpu()?;
    thread::sleep(time);
    println!(
        "without requests: {:.2?} of the companion in {time:.1?}",
        companion_cpu()?.saturating_sub(before)
    );
    for (name, client, cookie) in [
        ("banned", BANNED, ""),
        ("banned, with a made-up device cookie", BANNED, "device_token=a.b.c"),
        ("not banned", OTHER, ""),
    ] {
        log(&format!("flooding from an address that is {name}"));
        let flood = runtime.block_on(flood(ports.gateway, client, cookie, time))?;
        println!(
            "{name}: {} logins, {} of them 429, {:.2?} of the companion in {:.1?}",
            flood.logins, flood.rejected, flood.companion, flood.elapsed
        );
    }
    Ok(())
}

async fn ban() -> Result<()> {
    let mut database = PgConnection::connect(&stack().companion.database_url).await?;
    let statement = "insert into bans (network, scope, until) values ($1::text::cidr, 'credentials', now() + '10 minutes')";
    let done = sqlx::query(statement).bind(format!("{BANNED}/32")).execute(&mut database).await?;
    ensure!(done.rows_affected() == 1, "the ban was not written");
    Ok(())
}

/// Sends logins with all clients at once for this time.
async fn flood(gateway: u16, client: &'static str, cookie: &'static str, time: Duration) -> Result<Flood> {
    let (before, start) = (companion_cpu()?, Instant::now());
    let running: Vec<_> = (0..CLIENTS)
        .map(|_| {
            tokio::spawn(async move {
                let (http, mut logins, mut rejected) = (reqwest::Client::new(), 0, 0);
                while start.elapsed() < time {
                    let status = log_in(&http, gateway, client, cookie).await?;
                    logins += 1;
                    rejected += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
                }
                anyhow::Ok((logins, rejected))
            })
        })
        .collect();
    let (mut logins, mut rejected) = (0, 0);
    for client in running {
        let (sent, limited): (usize, usize) = client.await??;
        logins += sent;
        rejected += limited;
    }
    Ok(Flood {
        logins,
        rejected,
        companion: companion_cpu()?.saturating_sub(before),
        elapsed: start.elapsed(),
    })
}

async fn log_in(http: &reqwest::Client, gateway: u16, client: &str, cookie: &str) -> Result<StatusCode> {
    let request = http.post(format!("http://127.0.0.1:{gateway}/api/auth/login"));
    let request = request.header("x-forwarded-for", client).header("content-type", "application/json");
    let request = if cookie.is_empty() { request } else { request.header("cookie", cookie) };
    let response =
        request.body(r#"{"email":"nobody@shop.example","password":"wrong password"}"#).send().await?;
    let status = response.status();
    response.bytes().await?;
    Ok(status)
}

fn companion_cpu() -> Result<Duration> {
    machine::cpu_time(stack().companion_pid().context("the companion has ended")?)
}
