//! New passwords on the command line: how they are read, and what hashes them.

use std::io::{self, IsTerminal, Read};
use std::sync::Arc;

use anyhow::{anyhow, bail};
use aws_lc_rs::rand::SystemRandom;

use crate::config::Hashing;
use crate::domain::account::password::Password;
use crate::domain::account::password_policy::PasswordPolicy;
use crate::hashing::PasswordHasher;
use crate::service::Context;

/// Starts a hasher with one thread.
pub(super) fn start_hasher(context: &Context, hashing: &Hashing) -> io::Result<PasswordHasher> {
    let (random, metrics) = (Arc::new(SystemRandom::new()), Arc::clone(&context.metrics));
    PasswordHasher::start(hashing.bcrypt_cost, hashing.policy, 1, random, metrics)
}

/// Reads exactly one line of standard input, without its end. An argument would be visible in the process list and in
/// the shell's history.
pub(super) fn read_password(allow_terminal: bool, policy: PasswordPolicy) -> anyhow::Result<Password> {
    /// Maximum number of bytes that are read, so that a wrong file is not read to its end. Chosen: many times the
    /// maximum length of a password.
    const MAX_BYTES: u64 = 4096;
    let input = io::stdin();
    if input.is_terminal() && !allow_terminal {
        bail!(
            "the password is read from standard input: pipe it in, or type it visibly with --password-stdin"
        );
    }
    let mut line = String::new();
    if input.is_terminal() {
        input.read_line(&mut line)?;
    } else {
        input.lock().take(MAX_BYTES).read_to_string(&mut line)?;
    }
    // Windows PowerShell prepends a byte-order mark to UTF-8 that it pipes.
    let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
    let password = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
    if password.is_empty() {
        bail!("no password on standard input: pipe one line into the command");
    }
    if password.contains('\n') {
        bail!("the password must be one line, but standard input has more");
    }
    policy.parse(password).map_err(|mistake| anyhow!("{mistake}"))
}
