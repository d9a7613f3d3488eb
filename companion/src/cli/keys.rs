//! `edgeward keys generate|list|jwk`. It needs no database and no secret.

use anyhow::{Context, anyhow};
use aws_lc_rs::rsa::KeySize;
use clap::{Subcommand, ValueEnum};

use super::{read_settings, say};
use crate::config::KeyFolder;
use crate::domain::key_files;
use crate::domain::keys::PrivateKey;

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
    /// List every key with its name (kid), size and file
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

impl Keys {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let KeyFolder(dir) = read_settings()?;
        match self {
            Self::Generate { bits, force } => {
                let key = PrivateKey::generate(bits.into()).ok_or_else(|| anyhow!("no key could be made"))?;
                key_files::write(&dir, &key, force)?;
                say(format_args!("{}  {}", key.public().kid(), dir.join(key_files::PRIVATE).display()))?;
            }
            Self::List => {
                for file in key_files::list(&dir)? {
                    let (kid, bits) = (file.key.kid(), file.key.bits());
                    say(format_args!("{:<8} {kid}  {bits} bits  {}", file.state, file.path.display()))?;
                }
                for path in key_files::list_exposed(&dir) {
                    say(format_args!("{} can be read by others; run: chmod 600", path.display()))?;
                }
            }
            Self::Jwk => {
                let keys = key_files::read(&dir)?;
                say(serde_json::to_string_pretty(keys.published()).context("the set is JSON")?)?;
            }
        }
        Ok(())
    }
}

impl From<Bits> for KeySize {
    fn from(bits: Bits) -> Self {
        match bits {
            Bits::B2048 => Self::Rsa2048,
            Bits::B3072 => Self::Rsa3072,
        }
    }
}
