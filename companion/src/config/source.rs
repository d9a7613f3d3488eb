//! Where settings come from: the environment, then `.env.<APP_ENV>`. The one place that reads either.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;

use super::{Mistake, Mistakes, Problem};

/// Looks a setting up by its name, so that tests need no environment.
pub trait Lookup {
    /// The value, if there is one. An empty value counts as none.
    fn value(&self, name: &str) -> Option<String>;
    /// The names of everything that is set.
    fn names(&self) -> Vec<String>;
}

impl Lookup for BTreeMap<String, String> {
    fn value(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty()).cloned()
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
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Reads both. The process's own environment is never changed.
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
    pub fn read() -> Result<Self, Mistakes> {
        let mut mistakes = Mistakes::default();
        let mut own = BTreeMap::new();
        for (name, value) in env::vars_os() {
            // Names that are not UTF-8 are nobody's setting.
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => _ = own.insert(name, value),
                Err(_) if name.starts_with("EDGEWARD_") => {
                    mistakes.0.push(Mistake { name, problem: Problem::NotText });
                }
                Err(_) => {}
            }
        }
        let app_env = own.value("APP_ENV").unwrap_or_else(|| "prod".to_owned());
        // A word that is none is reported by whoever reads it; it must not name a file.
        let file = AppEnv::parse(&app_env).map(|_| PathBuf::from(format!(".env.{app_env}")));
        let mut all = file.map(|file| read_file(&file, &mut mistakes)).unwrap_or_default();
        all.extend(own);
        if mistakes.0.is_empty() { Ok(Self(all)) } else { Err(mistakes) }
    }
}

impl Lookup for Environment {
    fn value(&self, name: &str) -> Option<String> {
        self.0.value(name)
    }

    fn names(&self) -> Vec<String> {
        self.0.names()
    }
}

fn read_file(path: &PathBuf, mistakes: &mut Mistakes) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut note = |problem| mistakes.0.push(Mistake { name: path.display().to_string(), problem });
    match dotenvy::from_path_iter(path) {
        Ok(lines) => {
            for line in lines {
                match line {
                    Ok((name, value)) => _ = found.insert(name, value),
                    // The line itself is not shown: it may hold a secret.
                    Err(_) => note(Problem::LineUnreadable),
                }
            }
        }
        Err(error) if error.not_found() => {}
        Err(_) => note(Problem::LineUnreadable),
    }
    found
}
