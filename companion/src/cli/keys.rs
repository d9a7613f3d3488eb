//! `edgeward keys generate|list|jwk`. It needs no database and no secret.

use anyhow::{Context, anyhow};
use aws_lc_rs::rsa::KeySize;
use clap::{Subcommand, ValueEnum};

use super::read_settings;
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

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Bits {
    #[value(name = "2048")]
    B2048,
    #[value(name = "3072")]
    B3072,
    #[value(name = "4096")]
    B4096,
    #[value(name = "8192")]
    B8192,
}

impl Keys {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let KeyFolder(dir) = read_settings()?;
        match self {
            Self::Generate { bits, force } => {
                let key = PrivateKey::generate(bits.into()).ok_or_else(|| anyhow!("no key could be made"))?;
                key_files::write(&dir, &key, force)?;
                println!("{}  {}", key.public().kid(), dir.join(key_files::PRIVATE).display());
            }
            Self::List => {
                for file in key_files::list(&dir)? {
                    let (kid, bits) = (file.key.kid(), file.key.bits());
                    println!("{:<8} {kid}  {bits} bits  {}", file.state, file.path.display());
                }
            }
            Self::Jwk => {
                let keys = key_files::read(&dir)?;
                println!("{}", serde_json::to_string_pretty(keys.published()).context("the set is JSON")?);
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
            Bits::B4096 => Self::Rsa4096,
            Bits::B8192 => Self::Rsa8192,
        }
    }
}
