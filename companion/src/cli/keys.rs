//! `edgeward keys generate|rotate|list|jwk`. It needs no database and no secret.

use anyhow::{Context, anyhow};
use aws_lc_rs::rsa::KeySize;
use clap::{Subcommand, ValueEnum};
use time::OffsetDateTime;

use super::{read_settings, say};
use crate::config::{KeyFolder, Log, Reader, Section};
use crate::domain::audit::{Entry, Event};
use crate::domain::caller::Caller;
use crate::domain::token::rsa_key::PrivateKey;
use crate::keys::folder;
use crate::keys::rotation::{self, Rotation};
use crate::telemetry::{audit, log};

#[derive(Subcommand)]
pub(super) enum Keys {
    /// Make the key that signs
    Generate {
        /// Its size in bits
        #[arg(long, value_enum, default_value = "2048")]
        bits: Bits,
        /// Replace a key that is there; every access token it signed is refused from then on
        #[arg(long)]
        force: bool,
    },
    /// Have the announced key sign, retire the one that did, and announce a new one; if none is announced, announce one
    Rotate {
        /// Sign with a key that not everyone can know yet; those who do not refuse its tokens
        #[arg(long)]
        force: bool,
    },
    /// List every key with its phase and since when, its name (kid), size and file
    List,
    /// Print the public keys as a JWK set
    Jwk,
}

/// Larger keys would make tokens of more than 1 KiB.
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
        let caller = &Caller::COMMAND_LINE;
        let written = |event| audit::log(&Entry::new(now, caller, &event, None, None), caller);
        match self {
            Self::Generate { bits, force } => {
                let key = PrivateKey::generate(bits.into()).ok_or_else(|| anyhow!("no key could be made"))?;
                folder::write(&dir, &key, force)?;
                written(Event::KeysGenerated(key.public().kid().to_owned()));
                say(format_args!("{}  {}", key.public().kid(), dir.join(folder::PRIVATE).display()))?;
            }
            Self::Rotate { force } => {
                let rotation = rotation::rotate(&dir, now, force)?;
                let (signing, announced) = (rotation.signing.clone(), rotation.announced.clone());
                written(Event::KeysRotated { signing, announced });
                tell(&rotation)?;
            }
            Self::List => {
                for file in folder::list(&dir)? {
                    let (kid, bits) = (file.key.kid(), file.key.bits());
                    let (phase, since) = (file.phase, folder::format_time(file.since));
                    say(format_args!("{phase:<9}  {since}  {kid}  {bits} bits  {}", file.path.display()))?;
                }
                for path in folder::list_exposed(&dir) {
                    say(format_args!("{} can be read by others; run: chmod 600", path.display()))?;
                }
            }
            Self::Jwk => {
                let keys = folder::read(&dir)?;
                say(serde_json::to_string_pretty(keys.published()).context("the set is JSON")?)?;
            }
        }
        Ok(())
    }
}

fn tell(Rotation { gone, retired, signing, announced }: &Rotation) -> anyhow::Result<()> {
    for kid in gone {
        say(format_args!("gone       {kid}"))?;
    }
    if let Some(kid) = retired {
        say(format_args!("retired    {kid}"))?;
    }
    say(format_args!("signing    {signing}"))?;
    say(format_args!("announced  {announced}"))
}

impl From<Bits> for KeySize {
    fn from(bits: Bits) -> Self {
        match bits {
            Bits::B2048 => Self::Rsa2048,
            Bits::B3072 => Self::Rsa3072,
        }
    }
}
