//! Times of rejected logins, of users that do not exist, of disabled ones, and of others; and times of registrations.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::figures::Sample;
use super::people::{Person, address, log_in, register};
use super::{NO_LIMITS, Scene};
use crate::Effort;
use crate::connection::Connection;

/// Cost of the hashes: a small one, beside which a difference of anything else shows.
const COST: &str = "6";
/// Number of users of each kind. After 100 wrong passwords in a row, each would be locked.
const USERS: usize = 16;
/// Number of logins of each kind for each second of the effort.
const LOGINS_PER_SECOND: u64 = 50;
/// Number of registrations of each kind for each second of the effort: each takes a quarter of a second.
const REGISTRATIONS_PER_SECOND: u64 = 2;

const KINDS: [&str; 3] = ["unknown user", "disabled user", "wrong password"];

/// Measures, and prints the means and Welch's t of each pair.
pub(super) fn measure(effort: Effort) -> Result<()> {
    let scene = Scene::start(&[], &[&[("BCRYPT_COST", COST)][..], &NO_LIMITS].concat())?;
    let mut emails = [const { Vec::new() }; 3];
    for index in 0..USERS {
        emails[0].push(format!("unknown{index}@example.com"));
        let disabled = Person::register(scene.ports.companion, &format!("disabled{index}"))?.email;
        scene.disable(&disabled)?;
        emails[1].push(disabled);
        emails[2].push(Person::register(scene.ports.companion, &format!("person{index}"))?.email);
    }
    let mut connection = Connection::open(scene.ports.companion)?;
    compare("rejected logins", KINDS, effort.seconds * LOGINS_PER_SECOND, |kind, round| {
        let email = &emails[kind][round % USERS];
        let status = log_in(&mut connection, email, "a wrong password", &address())?.status;
        ensure!(status == 401, "the status of a login is {status}: {}", KINDS[kind]);
        Ok(())
    })
}

/// Measures registrations of unknown and of known addresses where the response is the same.
pub(super) fn measure_registrations(effort: Effort) -> Result<()> {
    let settings = [("BCRYPT_COST", COST), ("REGISTRATION_HIDES_EMAILS", "on")];
    let scene = Scene::start(&[], &[&settings[..], &NO_LIMITS].concat())?;
    let mut connection = Connection::open(scene.ports.companion)?;
    let mut register = |email: &str| {
        let status = register(&mut connection, email)?.status;
        ensure!(status == 202, "the status of a registration is {status}");
        Ok(())
    };
    register("known@example.com")?;
    let kinds = ["unknown address", "known address"];
    compare("registrations", kinds, effort.seconds * REGISTRATIONS_PER_SECOND, |kind, round| {
        let unknown = format!("unknown{round}@example.com");
        register(if kind == 0 { &unknown } else { "known@example.com" })
    })
}

/// Sends requests of each kind, and prints the mean times and Welch's t of each pair.
fn compare<const N: usize>(
    what: &str,
    kinds: [&str; N],
    rounds: u64,
    mut send: impl FnMut(usize, usize) -> Result<()>,
) -> Result<()> {
    let mut samples = [const { Sample(Vec::new()) }; N];
    for round in 0..usize::try_from(rounds)? {
        // In random order: the one after another may profit from it.
        let mut order: [usize; N] = std::array::from_fn(|kind| kind);
        fastrand::shuffle(&mut order);
        for kind in order {
            let start = Instant::now();
            send(kind, round)?;
            samples[kind].0.push(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    println!("\n{what}, {rounds} of each, interleaved, at cost {COST}");
    for (kind, sample) in kinds.iter().zip(&samples) {
        println!("{kind:<40}{:>10.1} µs on average", sample.mean());
    }
    for one in 0..N {
        for other in one + 1..N {
            let pair = format!("{} and {}", kinds[one], kinds[other]);
            println!("{pair:<40}{:>10.2} Welch's t", samples[one].welch_t(&samples[other]));
        }
    }
    Ok(())
}
