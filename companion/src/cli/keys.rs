//! `edgeward keys generate|rotate|list|jwk`, on a folder or on the database, and `keys import|reseal`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use aws_lc_rs::rsa::KeySize;
use clap::{Subcommand, ValueEnum};

use super::{connect, print_line, read_settings};
use crate::clock::Clock;
use crate::config::{self, Database, Log, Reader, Section};
use crate::domain::time::format_seconds;
use crate::domain::token::rotation::{KeyState, Plan, Rotation};
use crate::keys::folder;
use crate::service::keys::{self, Existing, Generated, KeyStore};
use crate::telemetry::log;

#[derive(Subcommand)]
pub(super) enum Keys {
    /// Generate the key that signs
    Generate {
        /// Size in bits
        #[arg(long, value_enum, default_value = "2048")]
        bits: Bits,
        /// Replace an existing key, in the database with all others; every access token that it signed is rejected from then
        /// on
        #[arg(long)]
        force: bool,
        /// Succeed without a change if there is a key; of several such commands at once, one generates it
        #[arg(long, conflicts_with = "force")]
        if_missing: bool,
    },
    /// Retire the signing key, sign with the announced one, and announce a new one; if none is announced, announce one
    Rotate {
        /// Sign with a key that was announced too recently; verifiers without it reject its tokens
        #[arg(long)]
        force: bool,
    },
    /// List each key with its phase, the phase's start, its ID (kid), size and file
    List,
    /// Print the public keys as a JWK set (RFC 7517)
    Jwk,
    /// Import the keys of a folder into the database, with their phases
    Import {
        /// Folder of the keys, which is left as it is
        directory: PathBuf,
    },
    /// Seal the keys in the database by the newest of several `KEY_ENCRYPTION_KEY`
    Reseal,
}

/// Size of a key. Larger keys would make tokens of more than 1 KiB.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Bits {
    #[value(name = "2048")]
    B2048,
    #[value(name = "3072")]
    B3072,
}

/// Settings of these commands. Those of the database are read if it has the keys.
struct Settings {
    store: config::KeyStore,
    database: Option<Database>,
    log: Log,
}

impl Section for Settings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (store, log) = (config::KeyStore::read(reader), Log::read(reader));
        let store = store?;
        let database = match &store {
            config::KeyStore::Folder(_) => None,
            config::KeyStore::Database(_) => Some(Database::read(reader)?),
        };
        Some(Self { store, database, log: log? })
    }
}

impl Keys {
    pub(super) async fn run(self, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
        let Settings { store, database, log } = read_settings()?;
        log::start_for_command(&log)?;
        let place = database.as_ref().map(ToString::to_string);
        let store = match (store, database) {
            (config::KeyStore::Database(encryption), Some(database)) => {
                KeyStore::Database(connect::open(&database, Arc::clone(&clock)).await?, encryption)
            }
            (config::KeyStore::Folder(directory), _) => KeyStore::Folder(directory),
            (config::KeyStore::Database(_), None) => bail!("the settings of the database are not set"),
        };
        match self {
            Self::Generate { bits, force, if_missing } => {
                let existing = match (force, if_missing) {
                    (true, _) => Existing::Replace,
                    (false, true) => Existing::Keep,
                    (false, false) => Existing::Reject,
                };
                let generated = keys::generate(&store, bits.into(), existing, &*clock).await?;
                print_generated(&generated, &store, place)
            }
            Self::Rotate { force } => print_rotation(&keys::rotate(&store, force, &*clock).await?),
            Self::List => {
                for key in keys::list(&store).await? {
                    print_key(&key.state, key.path.as_deref())?;
                }
                print_exposed(&store)
            }
            Self::Jwk => {
                let set = keys::read(&store).await?;
                print_line(serde_json::to_string_pretty(set.published()).context("cannot write the key set")?)
            }
            Self::Import { directory } => {
                let KeyStore::Database(context, encryption) = &store else { return require_database() };
                let imported = keys::import(context, encryption, &directory).await?;
                imported.iter().try_for_each(|key| print_key(key, None))
            }
            Self::Reseal => {
                let KeyStore::Database(context, encryption) = &store else { return require_database() };
                let count = keys::reseal(context, encryption).await?;
                print_line(format_args!("keys resealed: {count}; the former KEY_ENCRYPTION_KEY can go"))
            }
        }
    }
}

fn require_database() -> anyhow::Result<()> {
    bail!("KEY_ENCRYPTION_KEY is not set: the keys are in a folder; make one with: openssl rand -hex 32")
}

fn print_generated(
    Generated { kid, is_new }: &Generated,
    store: &KeyStore,
    place: Option<String>,
) -> anyhow::Result<()> {
    let place = match store {
        KeyStore::Folder(directory) => directory.join(folder::PRIVATE).display().to_string(),
        KeyStore::Database(..) => place.unwrap_or_default(),
    };
    print_line(format_args!("{kid}  {place}{}", if *is_new { "" } else { " (existed)" }))
}

fn print_key(KeyState { phase, since, kid, bits }: &KeyState, path: Option<&Path>) -> anyhow::Result<()> {
    let (phase, since) = (phase.as_str(), format_seconds(*since));
    let path = path.map(|path| format!("  {}", path.display())).unwrap_or_default();
    print_line(format_args!("{phase:<9}  {since}  {kid}  {bits} bits{path}"))
}

fn print_exposed(store: &KeyStore) -> anyhow::Result<()> {
    let KeyStore::Folder(directory) = store else { return Ok(()) };
    folder::list_exposed(directory).iter().try_for_each(|path| {
        print_line(format_args!("{} can be read by others; run: chmod 600", path.display()))
    })
}

fn print_rotation(Rotation { plan, announced }: &Rotation) -> anyhow::Result<()> {
    let Plan { gone, retired, signing, size: _ } = plan;
    for kid in gone {
        print_line(format_args!("gone       {kid}"))?;
    }
    if let Some(kid) = retired {
        print_line(format_args!("retired    {kid}"))?;
    }
    print_line(format_args!("signing    {signing}"))?;
    print_line(format_args!("announced  {announced}"))
}

impl From<Bits> for KeySize {
    fn from(bits: Bits) -> Self {
        match bits {
            Bits::B2048 => Self::Rsa2048,
            Bits::B3072 => Self::Rsa3072,
        }
    }
}
