//! Hashing and comparing passwords, and how much of that may go on at once. What may be a password is in `password`.
//!
//! It is slow by design, so it stays off the async threads and leaves one core to everything else.

use std::sync::Arc;

use aws_lc_rs::rand::SecureRandom;
use bcrypt::Version;
use secrecy::ExposeSecret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::password::{MAX_BYTES, Password, PasswordHash, Presented};

/// How many may wait for each worker. At cost 12 (some 0.25 s) the last of them waits about four seconds.
const WAITING_PER_WORKER: usize = 16;
/// The salt and digest of a hash that nobody knows a password for: random bytes.
const DUMMY_SALT_AND_DIGEST: &str = "HKrSxprGRyw7l1iBJnic5.MAKm2xOjliUZxitvfRKY5Vmt1G1i9Tq";

/// What comparing a presented password came to.
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

    /// Compares what was presented with a stored hash, spelling by spelling. A match is outdated if the hash would be
    /// made otherwise today, and can be: see [`is_outdated`].
    ///
    /// Without a hash, or with a text that the hash cannot be of, the same work is done against a dummy, so that time does
    /// not tell who exists (CVE-2026-40263) and neither does an overlong password (CVE-2025-22234). A hash from when the
    /// cost was lower is made up for; one from when it was higher takes the longer it takes.
    pub async fn verify(
        &self,
        presented: Presented,
        stored: Option<&PasswordHash>,
    ) -> Result<Verdict, HashingRefused> {
        let (cost, stored) = (self.cost, stored.cloned());
        self.work(move || {
            let known = stored.and_then(|hash| Some((hash.cost()?, hash)));
            let mut verdict = Verdict::Dummy;
            for (index, spelling) in presented.0.iter().enumerate() {
                let text = spelling.expose_secret();
                match known.as_ref().filter(|(_, hash)| is_possible(text, hash)) {
                    None => work_for_nothing(text, cost),
                    // The crate looks at 72 bytes of the text.
                    Some((stored_cost, hash))
                        if bcrypt::verify(text, hash.expose()).is_ok_and(|is_it| is_it) =>
                    {
                        let is_todays = index == 0 && *stored_cost == cost;
                        return Verdict::Match { outdated: is_outdated(text, hash, is_todays) };
                    }
                    Some((stored_cost, _)) => {
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
            let verify =
                async |text: String| hasher(4).verify(Presented::new(&text), Some(&hash)).await.unwrap();
            assert_eq!(verify(typed.to_owned()).await, Verdict::Match { outdated: false });
            assert_ne!(verify(format!("{typed}x")).await, Verdict::Match { outdated: false });
            assert_eq!(verify(typed.replacen('a', "", 1) + " ").await, Verdict::Mismatch);
        }
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_outdated() {
        let hash = hasher(4).hash(Password::parse("correct horse").unwrap()).await.unwrap();
        let verdict = hasher(5).verify(Presented::new("correct horse"), Some(&hash)).await;
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
            assert_eq!(
                hasher(4).verify(Presented::new(&presented), stored.as_ref()).await,
                Ok(Verdict::Dummy)
            );
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
                let verdict = hasher(cost).verify(Presented::new("wrong horse"), Some(&dummy(4))).await;
                assert_eq!(verdict, Ok(Verdict::Mismatch));
                least = least.min(started.elapsed());
            }
            least
        };
        // It is 64 times as much; the margin is for a busy machine.
        assert!(time(10).await > time(4).await * 8);
    }

    #[tokio::test]
    async fn every_spelling_costs_the_same_whether_there_is_a_user_or_not() {
        let hasher = hasher(9);
        let stored = dummy(9);
        let time = async |typed: &str, stored: Option<&PasswordHash>| {
            let mut least = Duration::MAX;
            for _ in 0..5 {
                let started = Instant::now();
                assert!(matches!(
                    hasher.verify(Presented::new(typed), stored).await,
                    Ok(Verdict::Mismatch | Verdict::Dummy)
                ));
                least = least.min(started.elapsed());
            }
            least
        };
        let one = time("correct horse", None).await;
        for stored in [None, Some(&stored)] {
            // It is three times as much; the margin is for a busy machine.
            assert!(time("caf\u{e9}\u{a0}cr\u{e8}me", stored).await > one * 2);
        }
    }

    /// Hashes of libxcrypt 4.4 (Debian's `crypt`), cost 4, of the 80 bytes of `LONG`, of `SHORT`, and of `LONG` as ours.
    const LONG_ELSEWHERE: &str = "$2y$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S";
    const SHORT_ELSEWHERE: &str = "$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";
    const LONG_MARKED_AS_OURS: &str = "$2b$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S";

    #[tokio::test]
    async fn a_hash_from_elsewhere_is_of_the_first_72_bytes() {
        let long = "0123456789".repeat(8);
        let check = async |typed: &str, hash: &str, expected: Verdict| {
            for prefix in ["$2a$", "$2x$", "$2y$", "$2b$"] {
                let is_ours = prefix == "$2b$";
                if is_ours != (hash == LONG_MARKED_AS_OURS) {
                    continue;
                }
                let stored =
                    PasswordHash::stored(hash.replacen("$2y$", prefix, 1).replacen("$2b$", prefix, 1));
                let verdict = hasher(4).verify(Presented::new(typed), Some(&stored)).await;
                assert_eq!(verdict, Ok(expected), "{typed} {prefix}");
            }
        };
        let is_it = |outdated| Verdict::Match { outdated };
        check(&long, LONG_ELSEWHERE, is_it(false)).await;
        check(&format!("{long}, and more"), LONG_ELSEWHERE, is_it(false)).await;
        check(&long[..72], LONG_ELSEWHERE, is_it(false)).await;
        check(&long[..71], LONG_ELSEWHERE, Verdict::Mismatch).await;
        check(&format!("{}x", &long[..71]), LONG_ELSEWHERE, Verdict::Mismatch).await;
        check("correct horse", SHORT_ELSEWHERE, is_it(true)).await;
        check(&long, LONG_MARKED_AS_OURS, Verdict::Dummy).await;
    }

    #[tokio::test]
    async fn a_hash_of_another_spelling_matches_and_is_outdated() {
        for (hashed, typed) in [
            ("cafe\u{301} cr\u{e8}me", "cafe\u{301} cr\u{e8}me"),
            ("cafe\u{301} cre\u{300}me", "caf\u{e9} cr\u{e8}me"),
            ("caf\u{e9}\u{a0}cr\u{e8}me", "caf\u{e9}\u{a0}cr\u{e8}me"),
        ] {
            let old = bcrypt::hash_with_salt(hashed, 4, [7; 16]).unwrap().format_for_version(Version::TwoB);
            let verdict = hasher(4).verify(Presented::new(typed), Some(&PasswordHash::stored(old))).await;
            assert_eq!(verdict, Ok(Verdict::Match { outdated: true }), "{hashed:?} {typed:?}");
        }
        let new = hasher(4).hash(Password::parse("caf\u{e9} cr\u{e8}me").unwrap()).await.unwrap();
        for typed in ["caf\u{e9} cr\u{e8}me", "cafe\u{301} cre\u{300}me", "caf\u{e9}\u{a0}cr\u{e8}me"] {
            let verdict = hasher(4).verify(Presented::new(typed), Some(&new)).await;
            assert_eq!(verdict, Ok(Verdict::Match { outdated: false }), "{typed:?}");
        }
    }

    #[tokio::test]
    async fn more_than_may_wait_are_turned_away() {
        let hasher = hasher(4);
        let all = hasher.waiting.available_permits();
        let held = Arc::clone(&hasher.waiting).acquire_many_owned(u32::try_from(all).unwrap()).await;
        assert_eq!(hasher.verify(Presented::new("correct horse"), None).await, Err(HashingRefused::Busy));
        drop(held);
        assert_eq!(hasher.verify(Presented::new("correct horse"), None).await, Ok(Verdict::Dummy));
    }
}
