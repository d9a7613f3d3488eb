//! Distinct valid tokens, stored in a file since signing takes a while.

use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use edgeward_kit::mint::{self, Key, NAME};

/// Lifetime of a token, in seconds. The filter accepts a day at most, and Envoy's clock is this machine's.
const LIFETIME: u64 = 86_000;
/// Minimum of the lifetime that stored tokens have left, in seconds. Chosen: longer than any run.
const MIN_LEFT: u64 = 3600;

/// Tokens, each of another user, and the key set that verifies them.
pub(super) struct Signed {
    pub(super) jwks: Value,
    pub(super) tokens: Arc<[String]>,
}

/// Returns `count` tokens: those in `file` if they are valid for long enough, else new ones.
pub(super) fn get(file: &Path, count: usize, now: u64) -> Result<Signed> {
    if let Some(stored) = fs::read_to_string(file).ok().and_then(|text| read(&text, count, now)) {
        return Ok(stored);
    }
    let signed = sign(count, now);
    let head = format!("{}\n{}\n", now + LIFETIME, signed.jwks);
    fs::write(file, head + &signed.tokens.join("\n"))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(signed)
}

/// Returns the user of the token with this index.
pub(super) fn user(at: usize) -> usize {
    at + 1
}

fn read(text: &str, count: usize, now: u64) -> Option<Signed> {
    let mut lines = text.lines();
    let expires: u64 = lines.next()?.parse().ok()?;
    let jwks = serde_json::from_str(lines.next()?).ok()?;
    let tokens: Arc<[String]> = lines.take(count).map(str::to_owned).collect();
    (expires >= now + MIN_LEFT && tokens.len() == count).then_some(Signed { jwks, tokens })
}

fn sign(count: usize, now: u64) -> Signed {
    let key = Key::named_by_thumbprint();
    let header = key.header();
    let token = |at: usize| {
        let claims = json!({
            "iss": NAME, "aud": NAME, "sub": user(at).to_string(), "role": "customer", "sid": user(at),
            "iat": now, "exp": now + LIFETIME,
        });
        key.token(&header, &claims.to_string())
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = count.div_ceil(threads);
    let tokens = thread::scope(|scope| {
        let shares = (0..threads).map(|thread| share * thread..(share * (thread + 1)).min(count));
        let signers: Vec<_> =
            shares.map(|range| scope.spawn(|| range.map(token).collect::<Vec<_>>())).collect();
        signers.into_iter().flat_map(|signer| signer.join().expect("signing does not fail")).collect()
    });
    Signed { jwks: mint::jwks(&[&key]), tokens }
}
