//! Hashing and comparing passwords, by workers of their own with a bounded queue. `domain::account::password` has the
//! rules for passwords.
//!
//! Both are slow by design. A worker for each core uses all that is idle, and yields to everything else.

mod workers;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use bcrypt::Version;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use tokio::sync::{Semaphore, oneshot};
use tracing::{Span, debug_span};

use self::workers::Workers;
use crate::domain::account::password::{MAX_BYTES, Password, PasswordHash, PresentedPassword};
use crate::domain::account::password_policy::{self, OwnWords, PasswordPolicy, WeakPasswordRejection};
use crate::random::Random;
use crate::telemetry::metrics::Metrics;

/// Number of comparisons that may wait for each worker. At cost 12 (some 0.25 s) the last one waits about four
/// seconds. A password counts once for each of its spellings.
const WAITING_PER_WORKER: usize = 16;
/// Salt and digest of the dummy hash: random bytes, for which nobody knows a password.
const DUMMY_SALT_AND_DIGEST: &str = "HKrSxprGRyw7l1iBJnic5.MAKm2xOjliUZxitvfRKY5Vmt1G1i9Tq";

/// Result of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The presented password matches the hash.
    Match {
        /// `true` if the password is to be hashed again: the hash has another cost than new ones, is of another
        /// spelling, or was imported.
        outdated: bool,
    },
    /// The presented password does not match.
    Mismatch,
    /// There is no hash that the presented password could match. The same work was done against a dummy.
    Dummy,
}

/// Failure to hash or compare a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HashingError {
    /// The queue is full.
    #[error("too many passwords are being hashed")]
    Busy,
    /// There was no randomness for a salt, or the worker failed.
    #[error("a password could not be hashed")]
    Failed,
}

/// Hashes and compares passwords by workers with a bounded queue. The workers stop when it is dropped.
pub struct PasswordHasher {
    /// Rules for new passwords.
    pub policy: PasswordPolicy,
    cost: u32,
    capacity: usize,
    random: Random,
    metrics: Arc<Metrics>,
    /// Permits of all that run or wait.
    admitted: Arc<Semaphore>,
    /// Permit of the estimate that runs or waits.
    estimating: Arc<Semaphore>,
    workers: Workers,
}

impl PasswordHasher {
    /// Starts `workers` threads, at least one, for hashes with a bcrypt cost of 4 to 31.
    ///
    /// # Errors
    /// [`io::Error`] if the system starts no thread.
    pub fn start(
        cost: u32,
        policy: PasswordPolicy,
        workers: usize,
        random: Random,
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        let workers = workers.max(1);
        let capacity = workers * (WAITING_PER_WORKER + 1);
        Ok(Self {
            policy,
            cost,
            capacity,
            random,
            metrics,
            admitted: Arc::new(Semaphore::new(capacity)),
            estimating: Arc::new(Semaphore::new(1)),
            workers: Workers::start(workers)?,
        })
    }

    /// Returns the number of comparisons and hashes that run or wait.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.capacity.saturating_sub(self.admitted.available_permits())
    }

    /// Hashes a password with a fresh salt.
    ///
    /// # Errors
    /// [`HashingError::Busy`] if the queue is full, [`HashingError::Failed`] if there is no salt or the worker
    /// fails.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, HashingError> {
        let (salt, cost) = (self.salt()?, self.cost);
        self.run(1, move || hash(&password, cost, salt)).await?
    }

    /// Hashes the new password of a user with these words as [`hash`](Self::hash) does, unless the policy rejects it.
    /// The check is slow too, so it runs on the worker.
    ///
    /// # Errors
    /// [`HashingError::Busy`] and [`HashingError::Failed`] as for [`hash`](Self::hash); within, the rejection.
    pub async fn hash_new(
        &self,
        password: Password,
        own: OwnWords,
    ) -> Result<Result<PasswordHash, WeakPasswordRejection>, HashingError> {
        let (salt, cost, policy) = (self.salt()?, self.cost, self.policy);
        self.run(1, move || match policy.check_strength(&password, &own) {
            Ok(()) => hash(&password, cost, salt).map(Ok),
            Err(rejection) => Ok(Err(rejection)),
        })
        .await?
    }

    /// Estimates the strength of a password that is being typed, from 0 to 4. One estimate runs or waits at a time: anybody can
    /// ask for one, so they must not take the places of logins.
    ///
    /// # Errors
    /// [`HashingError::Busy`] if another one runs; [`HashingError::Failed`] if the worker fails.
    pub async fn estimate(&self, typed: SecretString, own: OwnWords) -> Result<u8, HashingError> {
        let estimating = Arc::clone(&self.estimating).try_acquire_owned().map_err(|_| HashingError::Busy)?;
        let score = move || (password_policy::score(typed.expose_secret(), &own), estimating);
        self.run(0, score).await.map(|(score, _estimating)| score)
    }

    fn salt(&self) -> Result<[u8; 16], HashingError> {
        let mut salt = [0; 16];
        self.random.fill(&mut salt).map_err(|_| HashingError::Failed)?;
        Ok(salt)
    }

    /// Compares each spelling of a presented password with a stored hash.
    ///
    /// Without a hash, or for a text that cannot match it, the same work is done against a dummy. So the time does
    /// not tell if a user exists (CVE-2026-40263), for overlong passwords neither (CVE-2025-22234). A mismatch of a
    /// hash with a lower cost does the missing work besides; one of a hash with a higher cost takes longer.
    ///
    /// # Errors
    /// [`HashingError::Busy`] if the queue is full, [`HashingError::Failed`] if the worker fails.
    pub async fn verify(
        &self,
        presented: PresentedPassword,
        stored: Option<&PasswordHash>,
    ) -> Result<Verdict, HashingError> {
        let (cost, stored) = (self.cost, stored.cloned());
        self.run(presented.spellings().len(), move || {
            let known = stored.and_then(|hash| Some((hash.cost()?, hash)));
            let mut verdict = Verdict::Dummy;
            for (index, spelling) in presented.spellings().iter().enumerate() {
                let text = spelling.expose_secret();
                let possible = known.as_ref().filter(|(_, hash)| is_possible(text, hash));
                // The crate reads 72 bytes of the text, and rejects a hash with a damaged encoding.
                let compared =
                    possible.and_then(|known| Some((known, bcrypt::verify(text, known.1.expose()).ok()?)));
                match compared {
                    None => compare_with_dummy(text, cost),
                    Some(((stored_cost, hash), true)) => {
                        let is_current = index == 0 && *stored_cost == cost;
                        return Verdict::Match { outdated: is_outdated(text, hash, is_current) };
                    }
                    Some(((stored_cost, _), false)) => {
                        // Each cost doubles the work. The work of a cost and of every cost from it up to a greater one
                        // adds up to the work of the greater one.
                        (*stored_cost..cost).for_each(|step| compare_with_dummy(text, step));
                        verdict = Verdict::Mismatch;
                    }
                }
            }
            verdict
        })
        .await
    }

    /// Runs work on a worker, with one place in the queue for each comparison. Work without one is not measured.
    async fn run<T: Send + 'static>(
        &self,
        comparisons: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let places = u32::try_from(comparisons).unwrap_or(u32::MAX);
        let admitted =
            Arc::clone(&self.admitted).try_acquire_many_owned(places).map_err(|_| HashingError::Busy)?;
        let (sender, receiver) = oneshot::channel();
        let (metrics, queued) = (Arc::clone(&self.metrics), Instant::now());
        let (use_case, waiting) = (Span::current(), debug_span!("password_queue"));
        // The job holds the permits: a client that disconnects does not stop the work, so it must not free the worker.
        self.workers.push(move || {
            // Work that has not begun is dropped with its client.
            if sender.is_closed() {
                return;
            }
            drop(waiting);
            let started = Instant::now();
            let done = use_case.in_scope(|| debug_span!("password_hash").in_scope(work));
            if comparisons > 0 {
                metrics.observe_hash(started.duration_since(queued), started.elapsed());
            }
            drop(admitted);
            _ = sender.send(done);
        });
        receiver.await.map_err(|_| HashingError::Failed)
    }
}

fn hash(password: &Password, cost: u32, salt: [u8; 16]) -> Result<PasswordHash, HashingError> {
    // The truncating form: the other one rejects the 72nd byte, and a `Password` has no 73rd.
    let parts = bcrypt::hash_with_salt(password.expose(), cost, salt).map_err(|_| HashingError::Failed)?;
    Ok(PasswordHash::stored(parts.format_for_version(Version::TwoB)))
}

/// Returns `true` if a text can match a hash. Our own hashes are never of a truncated text; others' are of the first
/// 72 bytes.
fn is_possible(text: &str, hash: &PasswordHash) -> bool {
    !text.contains('\0') && (text.len() <= MAX_BYTES || !hash.is_ours())
}

/// Returns `true` if a password that matches a hash is to be hashed again. For an imported hash that is so only if
/// the text has fewer than 72 bytes: otherwise it may be the beginning of a longer password, which our own hash would
/// reject.
fn is_outdated(text: &str, hash: &PasswordHash, is_current: bool) -> bool {
    if hash.is_ours() { !is_current } else { text.len() < MAX_BYTES }
}

/// Does the work of one comparison, for an equal response time.
fn compare_with_dummy(text: &str, cost: u32) {
    let _mismatch = bcrypt::verify(text, dummy(cost).expose());
}

fn dummy(cost: u32) -> PasswordHash {
    PasswordHash::stored(format!("$2b${cost:02}${DUMMY_SALT_AND_DIGEST}"))
}

#[cfg(test)]
mod tests;
