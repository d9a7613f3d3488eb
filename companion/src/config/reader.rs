//! Reads settings one by one and remembers every mistake. Which settings there are is not said here.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use secrecy::SecretString;

use super::source::read_small;
use super::{AppEnv, Lookup, Mistake, Mistakes, Problem, names};

/// What a setting came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The setting's name.
    pub name: &'static str,
    /// Its value, or a word that stands for a secret.
    pub value: String,
}

/// Reads settings and remembers what was wrong.
pub struct Reader<'a> {
    lookup: &'a dyn Lookup,
    effective: Vec<Effective>,
    mistakes: Mistakes,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Lookup) -> Self {
        let mut reader = Self { lookup, effective: Vec::new(), mistakes: Mistakes::default() };
        reader.mistakes = lookup.mistakes();
        for name in lookup.names() {
            if let Some(meant) = names::suggest(&name).filter(|_| name.starts_with(names::PREFIX)) {
                reader.refuse::<()>(&name, Problem::Unknown { meant });
            }
        }
        reader
    }

    pub(super) fn finish(self) -> (Vec<Effective>, Mistakes) {
        (self.effective, self.mistakes)
    }

    /// Notes a mistake. Gives `None`, for a section that is thereby not read.
    pub fn refuse<T>(&mut self, name: &str, problem: Problem) -> Option<T> {
        let mistake = Mistake { name: name.to_owned(), problem };
        // Two sections may read the same setting.
        if !self.mistakes.0.contains(&mistake) {
            self.mistakes.0.push(mistake);
        }
        None
    }

    /// How careful to be: `APP_ENV`.
    pub fn app_env(&mut self) -> Option<AppEnv> {
        let word = self.text_or("APP_ENV", "prod");
        AppEnv::parse(&word).or_else(|| self.refuse("APP_ENV", Problem::NotOneOf(AppEnv::WORDS)))
    }

    /// A text that may be left out.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let value = self.value(name);
        self.note(name, value.as_deref().unwrap_or_default());
        value
    }

    /// A text with a default.
    pub fn text_or(&mut self, name: &'static str, default: &str) -> String {
        let value = self.value(name).unwrap_or_else(|| default.to_owned());
        self.note(name, &value);
        value
    }

    /// A value as it stands; one that is no text is a mistake.
    fn value(&mut self, name: &str) -> Option<String> {
        match self.lookup.value(name)?.into_string() {
            Ok(value) => Some(value),
            Err(_) => self.refuse(name, Problem::NotText),
        }
    }

    /// A text that `parse` understands; `form` says which those are.
    pub fn parsed<T>(
        &mut self,
        name: &'static str,
        default: &str,
        form: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.text_or(name, default);
        parse(&value).or_else(|| self.refuse(name, Problem::NotOfTheForm(form)))
    }

    /// A whole number with a default.
    pub fn number<N>(&mut self, name: &'static str, default: N, range: RangeInclusive<N>) -> Option<N>
    where
        N: Copy + Into<u64> + TryFrom<u64> + PartialOrd + std::fmt::Display,
    {
        let (min, max) = ((*range.start()).into(), (*range.end()).into());
        let text = self.text_or(name, &default.to_string());
        let number = text.parse().ok().and_then(|number: u64| N::try_from(number).ok());
        number
            .filter(|number| range.contains(number))
            .or_else(|| self.refuse(name, Problem::NotANumber { min, max }))
    }

    /// A secret that may be left out: the setting itself, or the content of the file that `NAME_FILE` names, less
    /// the line ends after it. The outer `None` is a mistake.
    pub fn secret(&mut self, name: &'static str) -> Option<Option<SecretString>> {
        let file = self.lookup.value(&format!("{name}_FILE")).map(PathBuf::from);
        let secret = match (self.lookup.value(name), file) {
            (Some(_), Some(_)) => return self.refuse(name, Problem::ValueAndFile),
            (Some(_), None) => Some(self.value(name)?),
            (None, Some(path)) => match read_small(&path) {
                Ok(content) => Some(content.trim_end_matches(['\r', '\n']).to_owned()),
                Err(error) => return self.refuse(name, Problem::FileUnreadable(path, error)),
            },
            (None, None) => None,
        };
        self.note(name, if secret.is_some() { "[secret]" } else { "" });
        Some(secret.map(SecretString::from))
    }

    /// Says what a setting came to.
    pub fn note(&mut self, name: &'static str, value: &str) {
        if self.effective.iter().all(|known| known.name != name) {
            self.effective.push(Effective { name, value: value.to_owned() });
        }
    }
}
