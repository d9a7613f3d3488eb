//! Where settings come from: the environment, then `.env.<APP_ENV>`. The one place that reads either.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Mistake, Mistakes, Problem};

/// The largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;
/// The other way to say `DATABASE_URL`.
const DATABASE_PARTS: [&str; 5] = ["DB_HOST", "DB_PORT", "DB_USERNAME", "DB_PASSWORD", "DB_NAME"];

/// Looks a setting up by its name, so that tests need no environment.
pub trait Lookup {
    /// The value, if there is one. An empty value counts as none.
    fn value(&self, name: &str) -> Option<OsString>;
    /// The names of everything that is set.
    fn names(&self) -> Vec<String>;
    /// What was wrong with where the settings come from.
    fn mistakes(&self) -> Mistakes {
        Mistakes::default()
    }
}

impl<V: Clone + Into<OsString>> Lookup for BTreeMap<String, V> {
    fn value(&self, name: &str) -> Option<OsString> {
        self.get(name).cloned().map(Into::into).filter(|value| !value.is_empty())
    }

    fn names(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }
}

/// How careful the service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppEnv {
    /// On a developer's machine, over plain HTTP.
    Dev,
    /// In tests: as in production, but cheaper hashes are allowed.
    Test,
    /// In production, and when nothing is said.
    Prod,
}

impl AppEnv {
    /// The words for it.
    pub(super) const WORDS: &'static [&'static str] = &["dev", "test", "prod"];

    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "dev" => Some(Self::Dev),
            "test" => Some(Self::Test),
            "prod" => Some(Self::Prod),
            _ => None,
        }
    }
}

/// The process's environment over the file `.env.<APP_ENV>` in the working directory, which need not exist.
pub struct Environment {
    settings: BTreeMap<String, OsString>,
    mistakes: Mistakes,
}

impl Environment {
    /// Reads both. The process's own environment is never changed.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
    pub fn read() -> Self {
        // Names that are not UTF-8 are nobody's setting.
        let own = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self::over_file(own.collect())
    }

    fn over_file(own: BTreeMap<String, OsString>) -> Self {
        let mut mistakes = Mistakes::default();
        let word = own.value("APP_ENV").unwrap_or_else(|| "prod".into());
        // A word that is none is reported by whoever reads it; it must not name a file.
        let word = word.to_str().filter(|word| AppEnv::parse(word).is_some());
        let mut settings = word.map(|word| read_file(word, &mut mistakes)).unwrap_or_default();
        for name in own.keys().filter(|name| own.value(name).is_some()) {
            for other in list_other_ways(name) {
                settings.remove(&other);
            }
        }
        settings.extend(own);
        Self { settings, mistakes }
    }
}

impl Lookup for Environment {
    fn value(&self, name: &str) -> Option<OsString> {
        self.settings.value(name)
    }

    fn names(&self) -> Vec<String> {
        self.settings.names()
    }

    fn mistakes(&self) -> Mistakes {
        self.mistakes.clone()
    }
}

/// The names under which the file might say otherwise what the environment says under this one. The environment
/// wins: only within one of the two do they contradict each other.
fn list_other_ways(name: &str) -> Vec<String> {
    let (plain, twin) = match name.strip_suffix("_FILE") {
        Some(plain) => (plain, plain.to_owned()),
        None => (name, format!("{name}_FILE")),
    };
    let others: &[&str] = match plain {
        "DATABASE_URL" => &DATABASE_PARTS,
        part if DATABASE_PARTS.contains(&part) => &["DATABASE_URL"],
        _ => &[],
    };
    others.iter().flat_map(|other| [(*other).to_owned(), format!("{other}_FILE")]).chain([twin]).collect()
}

fn read_file(app_env: &str, mistakes: &mut Mistakes) -> BTreeMap<String, OsString> {
    let mut found = BTreeMap::new();
    let path = format!(".env.{app_env}");
    let mut note = |problem| mistakes.0.push(Mistake { name: path.clone(), problem });
    let content = match read_small(Path::new(&path)) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return found,
        Err(error) => {
            note(Problem::Unreadable(error.kind()));
            return found;
        }
    };
    for line in dotenvy::from_read_iter(content.as_bytes()) {
        match line {
            Ok((name, value)) if name == "APP_ENV" && value != app_env => note(Problem::OtherAppEnv),
            Ok((name, value)) => _ = found.insert(name, value.into()),
            // The line itself is not shown: it may hold a secret.
            Err(_) => note(Problem::LineUnreadable),
        }
    }
    found
}

/// Reads a file of text, but neither a pipe, which may never end, nor more than anyone's settings have.
pub(super) fn read_small(path: &Path) -> io::Result<String> {
    // Asked before it is opened: opening a pipe waits for its writer.
    let kind = std::fs::metadata(path)?.file_type();
    if !kind.is_file() {
        return Err(
            if kind.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::Unsupported }.into()
        );
    }
    let mut content = String::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_string(&mut content)?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(content)
}
