//! `bench flood`: rate of logins beside that of bare bcrypt, other requests while logins flood, the times of rejected
//! logins of unknown, disabled and other users, those of registrations that hide addresses, and those of requests for a reset.

mod figures;
mod people;
mod rate;
mod timing;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::connection::Connection;
use super::scene::Scene;
use super::{Effort, machine};
use figures::{Statuses, percentiles};
use people::{Person, address};

/// Number of clients that flood. Each sends the next login as soon as it has a response.
const FLOODERS: usize = 64;
/// Number of users whose passwords they guess.
const VICTIMS: usize = 16;
/// Settings that put the limits on guessing out of the way.
pub(super) const NO_LIMITS: [(&str, &str); 3] =
    [("LIMIT_ACCOUNT", "10000/1s"), ("LIMIT_ADDRESS", "10000/1s"), ("LIMIT_REGISTRATION", "10000/1s")];

/// Measures, and prints the figures.
pub fn flood(effort: Effort, log: &mut dyn FnMut(&str)) -> Result<()> {
    println!("{} processors: {}", machine::processors(), machine::processor_name());
    log("comparing logins with bare bcrypt");
    rate::measure(effort)?;
    println!(
        "\n{:<40}{:>10}{:>12}{:>12}{:>12}{:>12}",
        "other requests", "logins", "refresh p50", "refresh p99", "self p50", "self p99"
    );
    for (name, flooders, settings) in [
        ("without a flood", 0, &NO_LIMITS[..]),
        ("flood, limits at their defaults", FLOODERS, &[]),
        ("flood, limits out of the way", FLOODERS, &NO_LIMITS[..]),
    ] {
        log(&format!("measuring other requests: {name}"));
        let cost = [("BCRYPT_COST", "12")];
        let scene = Scene::start(&[], &[&cost, settings].concat())?;
        let time = Duration::from_secs(effort.seconds);
        let Flooded { statuses, refresh, current_user } = measure(&scene, flooders, time)?;
        let [refresh, current_user] = [refresh, current_user].map(percentiles);
        println!(
            "{name:<40}{:>10}{:>12.1?}{:>12.1?}{:>12.1?}{:>12.1?}  {statuses}",
            statuses.total(),
            refresh[0],
            refresh[1],
            current_user[0],
            current_user[1],
        );
    }
    log("timing rejected logins");
    timing::measure(effort)?;
    log("timing registrations that hide addresses");
    timing::measure_registrations(effort)?;
    log("timing requests for a reset");
    timing::measure_resets(effort)
}

/// Statuses of the flood's responses, and response times of the two other clients.
struct Flooded {
    statuses: Statuses,
    refresh: Vec<Duration>,
    current_user: Vec<Duration>,
}

/// Refreshes and asks for `self` for this time, each over and over, while this number of clients flood.
fn measure(scene: &Scene, flooders: usize, time: Duration) -> Result<Flooded> {
    let port = scene.ports.companion;
    let victims = (0..VICTIMS).map(|index| Person::register(port, &format!("victim{index}")));
    let victims = victims.collect::<Result<Vec<_>>>()?;
    let [mut renewer, asker] = [Person::register(port, "renewer")?, Person::register(port, "asker")?];
    let is_over = AtomicBool::new(false);
    let is_over = &is_over;
    thread::scope(|scope| {
        let floods: Vec<_> = (0..flooders).map(|_| scope.spawn(|| guess(port, &victims, is_over))).collect();
        let refreshes = scope.spawn(move || {
            repeat(port, is_over, |connection| {
                let cookie = format!("cookie: refresh_token={}\r\n", renewer.refresh_token);
                let response = connection.send("POST", "refresh", &cookie, "")?;
                renewer.refresh_token = response.refresh_token.context("a refresh gave no token")?;
                Ok(())
            })
        });
        let questions = scope.spawn(move || {
            let cookie = format!("cookie: access_token={}\r\n", asker.access_token);
            repeat(port, is_over, |connection| {
                let status = connection.send("GET", "self", &cookie, "")?.status;
                anyhow::ensure!(status == 200, "the status of self is {status}");
                Ok(())
            })
        });
        thread::sleep(time);
        is_over.store(true, Ordering::Relaxed);
        let (refresh, current_user) =
            (refreshes.join().expect("a client")?, questions.join().expect("a client")?);
        let mut statuses = Statuses::default();
        for flood in floods {
            statuses.add(&flood.join().expect("a client")?);
        }
        Ok(Flooded { statuses, refresh, current_user })
    })
}

/// Sends a request over and over, and returns the response times.
fn repeat(
    port: u16,
    is_over: &AtomicBool,
    mut send: impl FnMut(&mut Connection) -> Result<()>,
) -> Result<Vec<Duration>> {
    let (mut connection, mut times) = (Connection::open(port)?, Vec::new());
    while !is_over.load(Ordering::Relaxed) {
        let start = Instant::now();
        send(&mut connection)?;
        times.push(start.elapsed());
    }
    Ok(times)
}

/// Guesses passwords, half of them of users that do not exist, each from another address.
fn guess(port: u16, victims: &[Person], is_over: &AtomicBool) -> Result<Statuses> {
    let (mut connection, mut statuses) = (Connection::open(port)?, Statuses::default());
    while !is_over.load(Ordering::Relaxed) {
        let unknown = format!("unknown{}@example.com", fastrand::u64(..));
        let victim = fastrand::usize(..victims.len());
        let email = if fastrand::bool() { &unknown } else { &victims[victim].email };
        statuses.count(people::log_in(&mut connection, email, "a wrong password", &address())?.status);
    }
    Ok(statuses)
}
