//! Times of rejected logins: of users that do not exist, of disabled ones, and of others.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::figures::Sample;
use super::people::{Person, address, log_in};
use super::{NO_LIMITS, Scene};
use crate::Effort;
use crate::connection::Connection;

/// Cost of the hashes: a small one, beside which a difference of anything else shows.
const COST: &str = "6";
/// Number of users of each kind. After 100 wrong passwords in a row, each would be locked.
const USERS: usize = 16;
/// Number of logins of each kind for each second of the effort.
const LOGINS_PER_SECOND: u64 = 50;

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
    let mut samples = [const { Sample(Vec::new()) }; 3];
    let rounds = usize::try_from(effort.seconds * LOGINS_PER_SECOND)?;
    for round in 0..rounds {
        // In random order: the one after another may profit from it.
        let mut order = [0, 1, 2];
        fastrand::shuffle(&mut order);
        for kind in order {
            let email = &emails[kind][round % USERS];
            let start = Instant::now();
            let status = log_in(&mut connection, email, "a wrong password", &address())?.status;
            samples[kind].0.push(start.elapsed().as_secs_f64() * 1e6);
            ensure!(status == 401, "the status of a login is {status}: {}", KINDS[kind]);
        }
    }
    println!("\nrejected logins, {rounds} of each, interleaved, at cost {COST}");
    for (kind, sample) in KINDS.iter().zip(&samples) {
        println!("{kind:<40}{:>10.1} µs on average", sample.mean());
    }
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        let pair = format!("{} and {}", KINDS[one], KINDS[other]);
        println!("{pair:<40}{:>10.2} Welch's t", samples[one].welch_t(&samples[other]));
    }
    Ok(())
}
