//! The settings: one table that describes them, and one struct of what was read. It is read in sections, so that a
//! command asks for no more than it needs.

mod connection_string;
mod cookies;
mod database;
mod env_file;
mod key_store;
mod mail;
mod mistake;
mod names;
mod pages;
mod passkeys;
mod passwords;
mod platform;
mod reader;
pub mod reference;
mod sections;
mod setting;
pub mod settings;
mod site;
mod source;
mod traces;

pub use crate::domain::guard::Limits;
pub use connection_string::{InvalidConnectionString, TargetSessionAttrs};
pub use cookies::Cookies;
pub use database::{Database, ImportSource, PoolerMode, place};
pub use env_file::InvalidLine;
pub use key_store::KeyStore;
pub use mail::{Mail, MailDelivery, Sender, SmtpServer};
pub use mistake::{Mistake, Mistakes, Problem};
pub use pages::{PageSet, Pages};
pub use passkeys::Passkeys;
pub use passwords::Hashing;
pub use reader::{Effective, Reader};
pub use sections::{AuditRetention, Feed, Http, InternalListener, Log, LogFormat, SessionAge, Tokens};
pub use setting::{DefaultValue, Example, Form, Group, Setting};
pub use site::{Image, Link, Site};
pub use source::{AppEnv, Environment, Lookup, TextFileError};
pub use traces::Traces;

/// All settings of `edgeward serve`.
pub struct Config {
    /// Listeners, paths and origins.
    pub http: Http,
    /// Access to Postgres.
    pub database: Database,
    /// Contents and lifetimes of tokens.
    pub tokens: Tokens,
    /// Access to the edge feed and the edge refresh.
    pub feed: Feed,
    /// Store of the signing keys.
    pub keys: KeyStore,
    /// Hashing of passwords.
    pub hashing: Hashing,
    /// Limits on guessing.
    pub limits: Limits,
    /// Age at which entries of the audit log are deleted.
    pub audit_retention: AuditRetention,
    /// Attributes of cookies.
    pub cookies: Cookies,
    /// Pages for people.
    pub pages: Pages,
    /// Site that they belong to.
    pub site: Site,
    /// Passkeys.
    pub passkeys: Passkeys,
    /// Sending of mail.
    pub mail: Mail,
    /// Form and level of the log.
    pub log: Log,
    /// Export of traces.
    pub traces: Traces,
}

/// A part of the settings that is read on its own.
pub trait Section: Sized {
    /// Reads the part. `None` means that the reader has at least one mistake.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;
}

impl Section for Config {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        // Every section is read before one is used: all mistakes are reported at once.
        let http = Http::read(reader);
        let database = Database::read(reader);
        let tokens = Tokens::read(reader);
        let feed = Feed::read(reader);
        let keys = KeyStore::read(reader);
        let hashing = Hashing::read(reader);
        let limits = Limits::read(reader);
        let audit_retention = AuditRetention::read(reader);
        let cookies = Cookies::read(reader);
        let pages = Pages::read(reader);
        let site = Site::read(reader);
        let passkeys = Passkeys::read(reader);
        let mail = Mail::read(reader);
        let log = Log::read(reader);
        let traces = Traces::read(reader);
        if let (Some(http), Some(pages)) = (&http, &pages)
            && pages.overlap(&http.base_path)
        {
            return reader.reject(settings::PAGES_PATH.name, Problem::PathTaken);
        }
        Some(Self {
            http: http?,
            database: database?,
            tokens: tokens?,
            feed: feed?,
            keys: keys?,
            hashing: hashing?,
            limits: limits?,
            audit_retention: audit_retention?,
            cookies: cookies?,
            pages: pages?,
            site: site?,
            passkeys: passkeys?,
            mail: mail?,
            log: log?,
            traces: traces?,
        })
    }
}

/// Reads one section, or all of them as [`Config`].
///
/// # Errors
/// [`Mistakes`]: all that were found, in the settings of the section and in their sources.
pub fn read<S: Section>(lookup: &dyn Lookup) -> Result<S, Mistakes> {
    read_effective(lookup).map(|(section, _)| section)
}

/// Reads a section, and returns with it the value in effect of each of its settings, without secrets.
///
/// # Errors
/// [`Mistakes`], as for [`read`].
pub fn read_effective<S: Section>(lookup: &dyn Lookup) -> Result<(S, Vec<Effective>), Mistakes> {
    let mut reader = Reader::new(lookup);
    let section = S::read(&mut reader);
    let (effective, mistakes) = reader.finish();
    match section {
        Some(section) if mistakes.0.is_empty() => Ok((section, effective)),
        _ => Err(mistakes),
    }
}

#[cfg(test)]
mod tests;
