//! Hashing and comparing passwords, and how much of that may go on at once. What may be a password is in `password`.
//!
//! It is slow by design, so it stays off the async threads and leaves one core to everything else.

use std::sync::Arc;

use aws_lc_rs::rand::SecureRandom;
use bcrypt::Version;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::password::{MAX_BYTES, Password, PasswordHash};

/// How many may wait for each worker. At cost 12 (some 0.25 s) the last of them waits about four seconds.
const WAITING_PER_WORKER: usize = 16;
/// The salt and digest of a hash that nobody knows a password for: random bytes.
const DUMMY_SALT_AND_DIGEST: &str = "HKrSxprGRyw7l1iBJnic5.MAKm2xOjliUZxitvfRKY5Vmt1G1i9Tq";

/// What comparing a presented password came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Match {
        /// The hash has another cost than new ones get.
        outdated: bool,
    },
    /// It is not.
    Mismatch,
    /// There was nothing it could match; the same work was done against a dummy.
    Dummy,
}

/// Why nothing was hashed or compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashingRefused {
    /// Too many are waiting.
    Busy,
    /// No salt, or the thread pool is shutting down.
    Failed,
}

/// Hashes and compares, a bounded number at once.
pub struct PasswordHasher {
    cost: u32,
    places: usize,
    random: Arc<dyn SecureRandom + Send + Sync>,
    waiting: Arc<Semaphore>,
    working: Arc<Semaphore>,
}

impl PasswordHasher {
    /// A hasher of a bcrypt cost (4 to 31) on a machine with so many cores.
    #[must_use]
    pub fn new(cost: u32, cores: usize, random: Arc<dyn SecureRandom + Send + Sync>) -> Self {
        let workers = cores.saturating_sub(1).max(1);
        let places = workers * (WAITING_PER_WORKER + 1);
        Self {
            cost,
            places,
            random,
            waiting: Arc::new(Semaphore::new(places)),
            working: Arc::new(Semaphore::new(workers)),
        }
    }

    /// How many are worked at or wait.
    #[must_use]
    pub fn in_work(&self) -> usize {
        self.places.saturating_sub(self.waiting.available_permits())
    }

    /// Hashes a password under a fresh salt.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, HashingRefused> {
        let mut salt = [0; 16];
        self.random.fill(&mut salt).map_err(|_| HashingRefused::Failed)?;
        let cost = self.cost;
        self.work(move || {
            // The truncating form, because the other one refuses the 72nd byte; `Password` has no 73rd.
            let parts = bcrypt::hash_with_salt(password.0.expose_secret(), cost, salt).ok()?;
            Some(PasswordHash::stored(parts.format_for_version(Version::TwoB)))
        })
        .await?
        .ok_or(HashingRefused::Failed)
    }

    /// Compares what was presented with a stored hash. Without one, or with a text that no account can have as
    /// its password, the same work is done against a dummy, so that time does not tell who exists
    /// (CVE-2026-40263) and neither does an overlong password (CVE-2025-22234). A hash from when the cost was lower
    /// is made up for; one from when it was higher takes the longer it takes.
    pub async fn verify(
        &self,
        presented: SecretString,
        stored: Option<&PasswordHash>,
    ) -> Result<Verdict, HashingRefused> {
        let (cost, stored) = (self.cost, stored.cloned());
        self.work(move || {
            let text = presented.expose_secret();
            let possible = text.len() <= MAX_BYTES && !text.contains('\0');
            let known = stored.filter(|_| possible).and_then(|hash| Some((hash.cost()?, hash)));
            let Some((stored_cost, stored)) = known else {
                work_for_nothing(text, cost);
                return Verdict::Dummy;
            };
            if bcrypt::verify(text, stored.expose()).is_ok_and(|matches| matches) {
                return Verdict::Match { outdated: stored_cost != cost };
            }
            // Every step doubles the work: that of a cost and of each from it on up to another is that other's.
            (stored_cost..cost).for_each(|step| work_for_nothing(text, step));
            Verdict::Mismatch
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingRefused> {
        let place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| HashingRefused::Busy)?;
        let worker = Arc::clone(&self.working).acquire_owned().await.map_err(|_| HashingRefused::Failed)?;
        // The permits go along: a client that leaves does not stop the work, so it must not free the worker.
        let task = move || {
            let held: [OwnedSemaphorePermit; 2] = [place, worker];
            let done = work();
            drop(held);
            done
        };
        tokio::task::spawn_blocking(task).await.map_err(|_| HashingRefused::Failed)
    }
}

/// Does the work of one comparison.
fn work_for_nothing(text: &str, cost: u32) {
    let _mismatch = bcrypt::verify(text, dummy(cost).expose());
}

fn dummy(cost: u32) -> PasswordHash {
    PasswordHash::stored(format!("$2b${cost:02}${DUMMY_SALT_AND_DIGEST}"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use aws_lc_rs::rand::SystemRandom;

    use super::*;

    fn hasher(cost: u32) -> PasswordHasher {
        PasswordHasher::new(cost, 2, Arc::new(SystemRandom::new()))
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_to_the_last_byte() {
        for typed in ["correct horse", " padded  ", &"a".repeat(71), &"a".repeat(72)] {
            let hash = hasher(4).hash(Password::parse(typed).unwrap()).await.unwrap();
            let verify = async |text: String| hasher(4).verify(text.into(), Some(&hash)).await.unwrap();
            assert_eq!(verify(typed.to_owned()).await, Verdict::Match { outdated: false });
            assert_ne!(verify(format!("{typed}x")).await, Verdict::Match { outdated: false });
            assert_eq!(verify(typed.replacen('a', "", 1) + " ").await, Verdict::Mismatch);
        }
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_outdated() {
        let hash = hasher(4).hash(Password::parse("correct horse").unwrap()).await.unwrap();
        let verdict = hasher(5).verify("correct horse".into(), Some(&hash)).await;
        assert_eq!(verdict, Ok(Verdict::Match { outdated: true }));
    }

    #[tokio::test]
    async fn what_can_match_nothing_is_compared_with_the_dummy() {
        let hash = "$2b$04$nZ7YDbOoybqcFNrXO0RBGOaH3e8P/V6wvpQVb1ujrI6ZdFgyyTL0G";
        for (presented, stored) in [
            ("correct horse".to_owned(), None),
            ("a".repeat(73), Some(hash)),
            ("correct\0horse".to_owned(), Some(hash)),
            ("correct horse".to_owned(), Some("not a hash")),
        ] {
            let stored = stored.map(|hash| PasswordHash::stored(hash.to_owned()));
            assert_eq!(hasher(4).verify(presented.into(), stored.as_ref()).await, Ok(Verdict::Dummy));
        }
    }

    #[test]
    fn the_dummy_is_a_hash_that_bcrypt_does_the_full_work_for() {
        assert_eq!(bcrypt::verify("anything", dummy(4).expose()).ok(), Some(false));
        assert_eq!(dummy(4).cost(), Some(4));
    }

    #[tokio::test]
    async fn a_mismatch_of_a_cheaper_hash_does_the_work_of_todays() {
        let time = async |cost| {
            let mut least = Duration::MAX;
            for _ in 0..5 {
                let started = Instant::now();
                let verdict = hasher(cost).verify("wrong horse".into(), Some(&dummy(4))).await;
                assert_eq!(verdict, Ok(Verdict::Mismatch));
                least = least.min(started.elapsed());
            }
            least
        };
        // It is 64 times as much; the margin is for a busy machine.
        assert!(time(10).await > time(4).await * 8);
    }

    #[tokio::test]
    async fn more_than_may_wait_are_turned_away() {
        let hasher = hasher(4);
        let all = hasher.waiting.available_permits();
        let held = Arc::clone(&hasher.waiting).acquire_many_owned(u32::try_from(all).unwrap()).await;
        assert_eq!(hasher.verify("correct horse".into(), None).await, Err(HashingRefused::Busy));
        drop(held);
        assert_eq!(hasher.verify("correct horse".into(), None).await, Ok(Verdict::Dummy));
    }
}
