//! Times of rejected logins, of users that do not exist, of disabled ones, and of others; times of registrations; and those of
//! requests for a reset.

use std::time::Instant;

use anyhow::{Result, ensure};
use edgeward_stack::inbox::Inbox;

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

/// Number of requests for a reset of each kind for each second of the effort.
const RESETS_PER_SECOND: u64 = 100;

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

/// Measures requests for a reset of the password of a known and of an unknown address.
pub(super) fn measure_resets(effort: Effort) -> Result<()> {
    let inbox = Inbox::start(0)?;
    let mail = inbox.settings("https://app.example");
    let mail = mail.each_ref().map(|(name, value)| (name.as_str(), value.as_str()));
    let settings = [("BCRYPT_COST", COST), ("LIMIT_MAIL", "10000/1s")];
    let scene = Scene::start(&[], &[&mail[..], &settings, &NO_LIMITS].concat())?;
    Person::register(scene.ports.companion, "known")?;
    let mut connection = Connection::open(scene.ports.companion)?;
    let kinds = ["unknown address", "known address"];
    compare("requests for a reset", kinds, effort.seconds * RESETS_PER_SECOND, |kind, _| {
        let body = format!(r#"{{"email":"{}@example.com"}}"#, ["unknown", "known"][kind]);
        let status = connection.send("POST", "password-reset", &address(), &body)?.status;
        ensure!(status == 202, "the status of a request is {status}");
        Ok(())
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
