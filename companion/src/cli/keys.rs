//! `edgeward keys generate|rotate|list|jwk`, without a database and without secrets.

use anyhow::Context;
use aws_lc_rs::rsa::KeySize;
use clap::{Subcommand, ValueEnum};
use time::OffsetDateTime;

use super::{print_line, read_settings};
use crate::config::{KeyFolder, Log, Reader, Section};
use crate::domain::time::format_seconds;
use crate::keys::folder;
use crate::keys::rotation::Rotation;
use crate::service::keys;
use crate::telemetry::log;

#[derive(Subcommand)]
pub(super) enum Keys {
    /// Generate the key that signs
    Generate {
        /// Size in bits
        #[arg(long, value_enum, default_value = "2048")]
        bits: Bits,
        /// Replace an existing key; every access token that it signed is rejected from then on
        #[arg(long)]
        force: bool,
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
}

/// Size of a key. Larger keys would make tokens of more than 1 KiB.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Bits {
    #[value(name = "2048")]
    B2048,
    #[value(name = "3072")]
    B3072,
}

/// Settings of these commands.
struct Settings {
    folder: KeyFolder,
    log: Log,
}

impl Section for Settings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (folder, log) = (KeyFolder::read(reader), Log::read(reader));
        Some(Self { folder: folder?, log: log? })
    }
}

impl Keys {
    pub(super) fn run(self, now: OffsetDateTime) -> anyhow::Result<()> {
        let Settings { folder: KeyFolder(dir), log } = read_settings()?;
        log::start_for_command(&log)?;
        match self {
            Self::Generate { bits, force } => {
                let kid = keys::generate(&dir, bits.into(), force, now)?;
                print_line(format_args!("{kid}  {}", dir.join(folder::PRIVATE).display()))?;
            }
            Self::Rotate { force } => {
                print_rotation(&keys::rotate(&dir, now, force)?)?;
            }
            Self::List => {
                for file in folder::list(&dir)? {
                    let (kid, bits) = (file.key.kid(), file.key.bits());
                    let (phase, since) = (file.phase, format_seconds(file.since));
                    print_line(format_args!(
                        "{phase:<9}  {since}  {kid}  {bits} bits  {}",
                        file.path.display()
                    ))?;
                }
                for path in folder::list_exposed(&dir) {
                    print_line(format_args!("{} can be read by others; run: chmod 600", path.display()))?;
                }
            }
            Self::Jwk => {
                let set = folder::read(&dir)?;
                print_line(
                    serde_json::to_string_pretty(set.published()).context("cannot write the key set")?,
                )?;
            }
        }
        Ok(())
    }
}

fn print_rotation(Rotation { gone, retired, signing, announced }: &Rotation) -> anyhow::Result<()> {
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
