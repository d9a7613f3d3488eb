//! Hashing and comparing passwords, and how much of that may go on at once. What may be a password is in `password`.
//!
//! It is slow by design, so it stays off the async threads and leaves one core to everything else.

use std::sync::Arc;

use bcrypt::Version;
use secrecy::ExposeSecret;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::account::password::{MAX_BYTES, Password, PasswordHash, PresentedPassword};
use crate::random::Random;

/// Number of comparisons that may wait for each worker. At cost 12 (some 0.25 s) the last of them waits about four
/// seconds. A password with several spellings takes the places of as many.
const WAITING_PER_WORKER: usize = 16;
/// The salt and digest of a hash that nobody knows a password for: random bytes.
const DUMMY_SALT_AND_DIGEST: &str = "HKrSxprGRyw7l1iBJnic5.MAKm2xOjliUZxitvfRKY5Vmt1G1i9Tq";

/// Result of comparing a presented password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Match {
        /// The hash has another cost than new ones get, is of another spelling, or comes from elsewhere.
        outdated: bool,
    },
    /// It is not.
    Mismatch,
    /// There was nothing it could match; the same work was done against a dummy.
    Dummy,
}

/// Reason that a password was neither hashed nor compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HashingError {
    /// Too many are waiting.
    #[error("too many passwords are being hashed")]
    Busy,
    /// No salt, or the thread pool is shutting down.
    #[error("a password could not be hashed")]
    Failed,
}

/// Hashes and compares, a bounded number at once.
pub struct PasswordHasher {
    cost: u32,
    places: usize,
    random: Random,
    waiting: Arc<Semaphore>,
    working: Arc<Semaphore>,
}

impl PasswordHasher {
    /// A hasher of a bcrypt cost (4 to 31) on a machine with so many cores.
    #[must_use]
    pub fn new(cost: u32, cores: usize, random: Random) -> Self {
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

    /// Number of comparisons and hashes that run or wait.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.places.saturating_sub(self.waiting.available_permits())
    }

    /// Hashes a password under a fresh salt.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, HashingError> {
        let mut salt = [0; 16];
        self.random.fill(&mut salt).map_err(|_| HashingError::Failed)?;
        let cost = self.cost;
        self.work(1, move || {
            // The truncating form, because the other one refuses the 72nd byte; `Password` has no 73rd.
            let parts = bcrypt::hash_with_salt(password.expose(), cost, salt).ok()?;
            Some(PasswordHash::stored(parts.format_for_version(Version::TwoB)))
        })
        .await?
        .ok_or(HashingError::Failed)
    }

    /// Compares what was presented with a stored hash, spelling by spelling. A match is outdated if the hash would be
    /// made otherwise today, and can be.
    ///
    /// Without a hash, or with a text that the hash cannot be of, the same work is done against a dummy, so that time does
    /// not tell who exists (CVE-2026-40263) and neither does an overlong password (CVE-2025-22234). A hash from when the
    /// cost was lower is made up for; one from when it was higher takes the longer it takes.
    pub async fn verify(
        &self,
        presented: PresentedPassword,
        stored: Option<&PasswordHash>,
    ) -> Result<Verdict, HashingError> {
        let (cost, stored) = (self.cost, stored.cloned());
        self.work(presented.spellings().len(), move || {
            let known = stored.and_then(|hash| Some((hash.cost()?, hash)));
            let mut verdict = Verdict::Dummy;
            for (index, spelling) in presented.spellings().iter().enumerate() {
                let text = spelling.expose_secret();
                let possible = known.as_ref().filter(|(_, hash)| is_possible(text, hash));
                // The crate looks at 72 bytes of the text, and reads no hash with a damaged encoding.
                let compared =
                    possible.and_then(|known| Some((known, bcrypt::verify(text, known.1.expose()).ok()?)));
                match compared {
                    None => work_for_nothing(text, cost),
                    Some(((stored_cost, hash), true)) => {
                        let is_todays = index == 0 && *stored_cost == cost;
                        return Verdict::Match { outdated: is_outdated(text, hash, is_todays) };
                    }
                    Some(((stored_cost, _), false)) => {
                        // Every step doubles the work: that of a cost and of each from it on up to another is that
                        // other's.
                        (*stored_cost..cost).for_each(|step| work_for_nothing(text, step));
                        verdict = Verdict::Mismatch;
                    }
                }
            }
            verdict
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        comparisons: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let places = u32::try_from(comparisons).unwrap_or(u32::MAX);
        let place =
            Arc::clone(&self.waiting).try_acquire_many_owned(places).map_err(|_| HashingError::Busy)?;
        let worker = Arc::clone(&self.working).acquire_owned().await.map_err(|_| HashingError::Failed)?;
        // The permits go along: a client that leaves does not stop the work, so it must not free the worker.
        let task = move || {
            let held: [OwnedSemaphorePermit; 2] = [place, worker];
            let done = work();
            drop(held);
            done
        };
        tokio::task::spawn_blocking(task).await.map_err(|_| HashingError::Failed)
    }
}

/// `true` if a hash can be of a text. Ours are never of one that was cut; others' are of its first 72 bytes.
fn is_possible(text: &str, hash: &PasswordHash) -> bool {
    !text.contains('\0') && (text.len() <= MAX_BYTES || !hash.is_ours())
}

/// `true` if a hash that matches a text is to be made anew. One from elsewhere is only if the text has fewer than 72
/// bytes: otherwise it may be the beginning of a longer password, which a hash of ours would refuse.
fn is_outdated(text: &str, hash: &PasswordHash, is_todays: bool) -> bool {
    if hash.is_ours() { !is_todays } else { text.len() < MAX_BYTES }
}

/// Does the work of one comparison.
fn work_for_nothing(text: &str, cost: u32) {
    let _mismatch = bcrypt::verify(text, dummy(cost).expose());
}

fn dummy(cost: u32) -> PasswordHash {
    PasswordHash::stored(format!("$2b${cost:02}${DUMMY_SALT_AND_DIGEST}"))
}

#[cfg(test)]
mod tests;
