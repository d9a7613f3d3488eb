//! Use cases of the signing keys, in both stores: a folder, or the database. A change in the database is one transaction
//! with its audit event; that of a folder is a log line, on standard error if a command made it.

mod error;
mod generate;
mod import;
mod list;
mod reload;
mod reseal;
mod rotate;
mod sealed;
mod source;

use std::path::PathBuf;

use aws_lc_rs::rsa::KeySize;
use time::OffsetDateTime;
use tokio::task::spawn_blocking;

use crate::domain::audit::{Entry, Event};
use crate::domain::caller::Caller;
use crate::domain::token::key_encryption::KeyEncryptionKeys;
use crate::domain::token::rsa_key::PrivateKey;
use crate::service::Context;
use crate::telemetry::audit;

pub use self::error::KeysError;
pub use self::generate::{Existing, Generated, generate};
pub use self::import::import;
pub use self::list::{ListedKey, list, read};
pub use self::reload::reload;
pub use self::reseal::reseal;
pub use self::rotate::rotate;
pub use self::source::{KeySource, open_database, open_folder};

/// Store of the signing keys.
pub enum KeyStore {
    /// Folder with this path.
    Folder(PathBuf),
    /// Database of the context, whose private keys are sealed by these.
    Database(Context, KeyEncryptionKeys),
}

/// Generates a key, in 0.1 to 1 s, beside other tasks.
async fn generate_key(size: KeySize) -> Result<PrivateKey, KeysError> {
    let generated = spawn_blocking(move || PrivateKey::generate(size)).await;
    generated.ok().flatten().ok_or(KeysError::NotGenerated)
}

/// Logs an event of a folder, which has no rows.
fn log(event: &Event, now: OffsetDateTime) {
    let caller = &Caller::COMMAND_LINE;
    audit::log(&Entry::new(now, caller, event, None, None), caller);
}
