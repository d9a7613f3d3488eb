//! Random secrets of the local stack, in files that only their owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Returns the secret in a file. Generates it if it is missing.
pub fn keep(path: &Path) -> Result<String> {
    match fs::read_to_string(path) {
        Ok(secret) if !secret.is_empty() => return Ok(secret),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
        _ => {}
    }
    let secret = random()?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(secret.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(secret)
}

/// Returns 32 random bytes as 64 hexadecimal digits.
fn random() -> Result<String> {
    let mut source = File::open("/dev/urandom").context("cannot read /dev/urandom")?;
    let (mut one, mut other) = ([0; 16], [0; 16]);
    source.read_exact(&mut one)?;
    source.read_exact(&mut other)?;
    Ok(format!("{:032x}{:032x}", u128::from_ne_bytes(one), u128::from_ne_bytes(other)))
}
