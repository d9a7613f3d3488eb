//! Passwords that match a hash, passwords that do not, and the work that both take.

mod queue;

use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;

use super::*;
use crate::domain::account::email::Email;

fn hasher(cost: u32) -> PasswordHasher {
    start(cost, 2, Arc::default())
}

fn start(cost: u32, workers: usize, metrics: Arc<Metrics>) -> PasswordHasher {
    let policy = PasswordPolicy { min_chars: 8, min_score: 1 };
    PasswordHasher::start(cost, policy, workers, Arc::new(SystemRandom::new()), metrics).unwrap()
}

#[tokio::test]
async fn a_password_matches_its_own_hash_to_the_last_byte() {
    for typed in ["correct horse", " padded  ", &"a".repeat(71), &"a".repeat(72)] {
        let hash = hasher(4).hash(Password::parse(typed).unwrap()).await.unwrap();
        let verify =
            async |text: String| hasher(4).verify(PresentedPassword::new(&text), Some(&hash)).await.unwrap();
        assert_eq!(verify(typed.to_owned()).await, Verdict::Match { outdated: false });
        assert_ne!(verify(format!("{typed}x")).await, Verdict::Match { outdated: false });
        assert_eq!(verify(typed.replacen('a', "", 1) + " ").await, Verdict::Mismatch);
    }
}

#[tokio::test]
async fn a_hash_of_another_cost_is_outdated() {
    let hash = hasher(4).hash(Password::parse("correct horse").unwrap()).await.unwrap();
    let verdict = hasher(5).verify(PresentedPassword::new("correct horse"), Some(&hash)).await;
    assert_eq!(verdict, Ok(Verdict::Match { outdated: true }));
}

#[tokio::test]
async fn password_that_can_match_nothing_is_compared_with_the_dummy() {
    let hash = "$2b$04$nZ7YDbOoybqcFNrXO0RBGOaH3e8P/V6wvpQVb1ujrI6ZdFgyyTL0G";
    for (presented, stored) in [
        ("correct horse".to_owned(), None),
        ("a".repeat(73), Some(hash)),
        ("correct\0horse".to_owned(), Some(hash)),
        ("correct horse".to_owned(), Some("not a hash")),
        ("correct horse".to_owned(), Some("$2b$04$nZ7YDbOoybqcFNrXO0RBGOaH3e8P/V6wvpQVb1ujrI6ZdFgyyTL0!")),
    ] {
        let stored = stored.map(|hash| PasswordHash::stored(hash.to_owned()));
        assert_eq!(
            hasher(4).verify(PresentedPassword::new(&presented), stored.as_ref()).await,
            Ok(Verdict::Dummy)
        );
    }
}

#[test]
fn bcrypt_does_the_full_work_for_the_dummy() {
    assert_eq!(bcrypt::verify("anything", dummy(4).expose()).ok(), Some(false));
    assert_eq!(dummy(4).cost(), Some(4));
}

#[tokio::test]
async fn a_mismatch_of_a_cheaper_hash_does_the_work_of_todays() {
    let time = async |cost| {
        let mut least = Duration::MAX;
        for _ in 0..5 {
            let started = Instant::now();
            let verdict = hasher(cost).verify(PresentedPassword::new("wrong horse"), Some(&dummy(4))).await;
            assert_eq!(verdict, Ok(Verdict::Mismatch));
            least = least.min(started.elapsed());
        }
        least
    };
    // The work is 64 times as much. The margin is for a busy machine.
    assert!(time(10).await > time(4).await * 8);
}

#[tokio::test]
async fn every_spelling_takes_the_same_work_with_and_without_a_user() {
    const MIN_ROUNDS: usize = 5;
    const MAX_ROUNDS: usize = 50;
    let hasher = hasher(9);
    let stored = dummy(9);
    let time = async |typed: &str, stored: Option<&PasswordHash>| {
        let started = Instant::now();
        let verdict = hasher.verify(PresentedPassword::new(typed), stored).await;
        assert!(matches!(verdict, Ok(Verdict::Mismatch | Verdict::Dummy)), "{verdict:?}");
        started.elapsed()
    };
    // The work is three times as much. On a busy machine the least times take more rounds to show it.
    let (mut one, mut three) = (Duration::MAX, [Duration::MAX; 2]);
    for round in 1..=MAX_ROUNDS {
        one = one.min(time("correct horse", None).await);
        for (least, stored) in three.iter_mut().zip([None, Some(&stored)]) {
            *least = (*least).min(time("caf\u{e9}\u{a0}cr\u{e8}me", stored).await);
        }
        if round >= MIN_ROUNDS && three.iter().all(|three| *three > one * 2) {
            return;
        }
    }
    panic!("one spelling takes {one:?}, three take {three:?} without and with a user");
}

/// Hashes by libxcrypt 4.4 (Debian's `crypt`) at cost 4: of the digits 0 to 9 eight times over, of `correct horse`,
/// and of the digits with the prefix of our own hashes.
const LONG_IMPORTED: &str = "$2y$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S";
const SHORT_IMPORTED: &str = "$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";
const LONG_MARKED_AS_OURS: &str = "$2b$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S";

#[tokio::test]
async fn imported_hash_is_of_the_first_72_bytes() {
    let long = "0123456789".repeat(8);
    let beginning = |length| long.chars().take(length).collect::<String>();
    let check = async |typed: &str, hash: &str, expected: Verdict| {
        for prefix in ["$2a$", "$2x$", "$2y$", "$2b$"] {
            let is_ours = prefix == "$2b$";
            if is_ours != (hash == LONG_MARKED_AS_OURS) {
                continue;
            }
            let stored = PasswordHash::stored(hash.replacen("$2y$", prefix, 1).replacen("$2b$", prefix, 1));
            let verdict = hasher(4).verify(PresentedPassword::new(typed), Some(&stored)).await;
            assert_eq!(verdict, Ok(expected), "{typed} {prefix}");
        }
    };
    let matches = |outdated| Verdict::Match { outdated };
    check(&long, LONG_IMPORTED, matches(false)).await;
    check(&format!("{long}, and more"), LONG_IMPORTED, matches(false)).await;
    check(&beginning(72), LONG_IMPORTED, matches(false)).await;
    check(&beginning(71), LONG_IMPORTED, Verdict::Mismatch).await;
    check(&format!("{}x", beginning(71)), LONG_IMPORTED, Verdict::Mismatch).await;
    check("correct horse", SHORT_IMPORTED, matches(true)).await;
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
        let verdict = hasher(4).verify(PresentedPassword::new(typed), Some(&PasswordHash::stored(old))).await;
        assert_eq!(verdict, Ok(Verdict::Match { outdated: true }), "{hashed:?} {typed:?}");
    }
    let new = hasher(4).hash(Password::parse("caf\u{e9} cr\u{e8}me").unwrap()).await.unwrap();
    for typed in ["caf\u{e9} cr\u{e8}me", "cafe\u{301} cre\u{300}me", "caf\u{e9}\u{a0}cr\u{e8}me"] {
        let verdict = hasher(4).verify(PresentedPassword::new(typed), Some(&new)).await;
        assert_eq!(verdict, Ok(Verdict::Match { outdated: false }), "{typed:?}");
    }
}

#[tokio::test]
async fn weak_new_password_is_rejected_instead_of_hashed() {
    let hasher = hasher(4);
    let hash_new = async |typed: &str| {
        let password = Password::parse(typed).unwrap();
        let own = OwnWords::of_email(&Email::parse("ada@example.com").unwrap());
        hasher.hash_new(password, own).await.unwrap()
    };
    assert!(matches!(hash_new("password").await.err(), Some(WeakPasswordRejection::TooCommon(_))));
    let hash = hash_new("correct horse").await.unwrap();
    let verdict = hasher.verify(PresentedPassword::new("correct horse"), Some(&hash)).await;
    assert_eq!(verdict, Ok(Verdict::Match { outdated: false }));
}
