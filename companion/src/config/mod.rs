//! The settings, parsed: one struct, read in sections so that a command asks for no more than it needs.
//! What a setting means for the service is not decided here.

mod connection_string;
mod database;
mod env_file;
mod mistake;
mod names;
mod platform;
mod reader;
mod sections;
mod source;

pub use connection_string::InvalidConnectionString;
pub use database::Database;
pub use env_file::InvalidLine;
pub use mistake::{Mistake, Mistakes, Problem};
pub use names::SETTINGS;
pub use reader::{Effective, Reader};
pub use sections::{Cookies, Feed, Hashing, Http, InternalListener, KeyFolder, Log, LogFormat, Tokens};
pub use source::{AppEnv, Environment, Lookup, TextFileError};

/// Everything `edgeward serve` is told.
pub struct Config {
    /// Listeners, paths and origins.
    pub http: Http,
    /// Where Postgres is.
    pub database: Database,
    /// What tokens say and how long they last.
    pub tokens: Tokens,
    /// Who may ask for the edge feed.
    pub feed: Feed,
    /// Where the signing keys are.
    pub keys: KeyFolder,
    /// How passwords are hashed.
    pub hashing: Hashing,
    /// How cookies are marked.
    pub cookies: Cookies,
    /// How logs are written.
    pub log: Log,
}

/// A part of the settings that is read on its own.
pub trait Section: Sized {
    /// Reads the part. `None` means that the reader was told of at least one mistake.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;
}

impl Section for Config {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        // Every section is read before any is looked at: all mistakes are reported at once.
        let http = Http::read(reader);
        let database = Database::read(reader);
        let tokens = Tokens::read(reader);
        let feed = Feed::read(reader);
        let keys = KeyFolder::read(reader);
        let hashing = Hashing::read(reader);
        let cookies = Cookies::read(reader);
        let log = Log::read(reader);
        Some(Self {
            http: http?,
            database: database?,
            tokens: tokens?,
            feed: feed?,
            keys: keys?,
            hashing: hashing?,
            cookies: cookies?,
            log: log?,
        })
    }
}

/// Reads one section, or all of them as [`Config`].
pub fn read<S: Section>(lookup: &dyn Lookup) -> Result<S, Mistakes> {
    read_effective(lookup).map(|(section, _)| section)
}

/// Reads a section and says what each of its settings came to, secrets left out.
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
