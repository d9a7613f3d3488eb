//! The sources of settings: the environment, then `.env.<APP_ENV>`. This is the one place that reads either.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use thiserror::Error;

use super::{Mistake, Mistakes, Problem, env_file, names, platform, settings};

/// Maximum size of a file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;
/// Settings that `DATABASE_URL` stands for.
const DATABASE_PARTS: [&str; 5] = [
    settings::DB_HOST.name,
    settings::DB_PORT.name,
    settings::DB_USERNAME.name,
    settings::DB_PASSWORD.name,
    settings::DB_NAME.name,
];

/// Source of settings by their names, so that tests need no environment.
pub trait Lookup {
    /// Returns the value, if there is one. An empty value counts as none.
    fn value(&self, name: &str) -> Option<OsString>;
    /// Returns the names of everything that is set.
    fn names(&self) -> Vec<String>;
    /// Returns the mistakes of the source itself.
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

/// Environment that the service runs in: `APP_ENV`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppEnv {
    /// A developer's machine, over plain HTTP.
    Dev,
    /// Tests: as production, but cheaper hashes are allowed.
    Test,
    /// Production, and the default.
    Prod,
}

impl AppEnv {
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
        // A name that is not UTF-8 is no setting.
        let own = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let is_setting = |(name, value): &(String, OsString)| {
            !value.to_str().is_some_and(|value| platform::is_service_link(name, value))
        };
        Self::over_file(own.filter(is_setting).collect())
    }

    fn over_file(own: BTreeMap<String, OsString>) -> Self {
        let mut mistakes = Mistakes::default();
        let word =
            own.value(settings::APP_ENV.name).unwrap_or_else(|| settings::APP_ENV.default.text().into());
        // Another word is reported by the reader; it must not name a file.
        let word = word.to_str().filter(|word| AppEnv::parse(word).is_some());
        let mut settings = word.map(|word| read_file(word, &own, &mut mistakes)).unwrap_or_default();
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

/// Lists the names under which the file may set what the environment sets under this one. The environment wins: only
/// within one of the two do they contradict each other.
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

fn read_file(
    app_env: &str,
    own: &BTreeMap<String, OsString>,
    mistakes: &mut Mistakes,
) -> BTreeMap<String, OsString> {
    let mut found = BTreeMap::new();
    let path = format!(".env.{app_env}");
    let mut note = |subject: String, problem| mistakes.0.push(Mistake { subject, problem });
    let content = match read_small(Path::new(&path)) {
        Ok(content) => content,
        Err(TextFileError::Io(io::ErrorKind::NotFound)) => return found,
        Err(error) => {
            note(path, Problem::Unreadable(error));
            return found;
        }
    };
    let lookup = |name: &str| own.value(name)?.into_string().ok();
    for env_file::Line { number, assignment } in env_file::parse(&content, &lookup) {
        let (name, value) = match assignment {
            Ok(assignment) => assignment,
            Err(rejection) => {
                note(format!("{path} line {number}"), Problem::Line(rejection));
                continue;
            }
        };
        match names::suggest(&name) {
            _ if name == settings::APP_ENV.name && value != app_env => {
                note(path.clone(), Problem::OtherAppEnv);
            }
            // The reader reports names with the prefix, whatever their source.
            Some(meant) if !names::is_known(&name) && !name.starts_with(names::PREFIX) => {
                note(format!("{path} line {number}: {name}"), Problem::Unknown { meant });
            }
            _ => _ = found.insert(name, value.into()),
        }
    }
    found
}

/// Cause of a file of text that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TextFileError {
    /// It is missing, not permitted, or no small file.
    #[error("{0}")]
    Io(io::ErrorKind),
    /// This line has bytes that are no UTF-8.
    #[error("line {0} is not UTF-8; save it as UTF-8")]
    NotUtf8(usize),
    /// It begins with the byte-order mark of UTF-16.
    #[error("it is UTF-16; save it as UTF-8")]
    Utf16,
}

/// Reads a file of text, less a byte-order mark; but neither a pipe, which may never end, nor more than anyone's
/// settings have.
pub(super) fn read_small(path: &Path) -> Result<String, TextFileError> {
    let bytes = read_small_bytes(path).map_err(|error| TextFileError::Io(error.kind()))?;
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(TextFileError::Utf16);
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        TextFileError::NotUtf8(valid.filter(|byte| **byte == b'\n').count() + 1)
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn read_small_bytes(path: &Path) -> io::Result<Vec<u8>> {
    // Asked before it is opened: opening a pipe waits for its writer.
    let kind = std::fs::metadata(path)?.file_type();
    if !kind.is_file() {
        return Err(
            if kind.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::Unsupported }.into()
        );
    }
    let mut content = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(content)
}
