//! Logins a second, beside what bare bcrypt does on all processors in the same minutes.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use edgeward_kit::client::PASSWORD;

use super::people::{Person, address, log_in};
use super::{NO_LIMITS, Scene};
use crate::connection::Connection;
use crate::{Effort, machine};

/// Cost of the hashes: the least in production, at which everything else weighs most.
const COST: u32 = 10;
/// Number of clients for each processor, so that no worker waits for one.
const CLIENTS_PER_PROCESSOR: usize = 4;
/// Number of turns. In each, bare bcrypt is measured before and after the logins, since the speed of the machine changes.
const TURNS: u32 = 3;

/// Measures, and prints the rates and their ratio.
pub(super) fn measure(effort: Effort) -> Result<()> {
    let cost = [("BCRYPT_COST", COST.to_string())].map(|(name, value)| (name, value.leak() as &str));
    let scene = Scene::start(&[], &[&cost[..], &NO_LIMITS].concat())?;
    let people = (0..CLIENTS_PER_PROCESSOR * machine::processors())
        .map(|index| Person::register(scene.ports.companion, &format!("person{index}")))
        .collect::<Result<Vec<_>>>()?;
    let hash = bcrypt::hash(PASSWORD, COST)?;
    let time = Duration::from_secs(effort.seconds) / TURNS;
    let (mut bare, mut logins) = (0.0, 0.0);
    for _ in 0..TURNS {
        bare += bare_rate(&hash, time / 2)? / 2.0;
        logins += login_rate(scene.ports.companion, &people, time)?;
        bare += bare_rate(&hash, time / 2)? / 2.0;
    }
    let turns = f64::from(TURNS);
    println!(
        "at cost {COST}: {:.1} logins a second, {:.1} comparisons of bare bcrypt a second: {:.1} %",
        logins / turns,
        bare / turns,
        100.0 * logins / bare
    );
    Ok(())
}

/// Returns the comparisons a second of bare bcrypt on all processors.
fn bare_rate(hash: &str, time: Duration) -> Result<f64> {
    let threads = machine::processors();
    rate(threads, time, |_| {
        Ok(move || {
            ensure!(bcrypt::verify(PASSWORD, hash)?, "the password does not match");
            Ok(())
        })
    })
}

/// Returns the logins a second, with the right passwords.
fn login_rate(port: u16, people: &[Person], time: Duration) -> Result<f64> {
    rate(people.len(), time, |index| {
        let mut connection = Connection::open(port)?;
        let email = &people.get(index).context("nobody")?.email;
        Ok(move || {
            let status = log_in(&mut connection, email, PASSWORD, &address())?.status;
            ensure!(status == 200, "the status of a login is {status}");
            Ok(())
        })
    })
}

/// Runs work over and over on each of so many threads, and returns how often a second all of them together were done.
/// Work that is under way at the end counts, with the time that it takes.
fn rate<W: FnMut() -> Result<()>>(
    threads: usize,
    time: Duration,
    begin: impl Fn(usize) -> Result<W> + Sync,
) -> Result<f64> {
    let begin = &begin;
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|index| {
                scope.spawn(move || {
                    let mut work = begin(index)?;
                    let (start, mut count) = (Instant::now(), 0_u32);
                    while start.elapsed() < time {
                        work()?;
                        count += 1;
                    }
                    anyhow::Ok(f64::from(count) / start.elapsed().as_secs_f64())
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("a thread")).sum()
    })
}
