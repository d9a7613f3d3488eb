//! Reads settings one by one, and collects every mistake. The settings themselves are in `settings`.

use std::path::PathBuf;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};

use super::source::read_small;
use super::{AppEnv, DefaultValue, Form, Lookup, Mistake, Mistakes, Problem, Setting, names, settings};

/// A setting's value in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The setting's name.
    pub name: &'static str,
    /// Its value, or a word that stands for a secret.
    pub value: String,
}

/// Reader of settings.
pub struct Reader<'a> {
    lookup: &'a dyn Lookup,
    effective: Vec<Effective>,
    mistakes: Mistakes,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Lookup) -> Self {
        let mut reader = Self { lookup, effective: Vec::new(), mistakes: lookup.mistakes() };
        for name in lookup.names() {
            if let Some(meant) = names::suggest(&name).filter(|_| name.starts_with(names::PREFIX)) {
                reader.reject::<()>(&name, Problem::Unknown { meant });
            }
        }
        reader
    }

    /// Returns the settings that were read, in the order of the table, and all mistakes.
    pub(super) fn finish(mut self) -> (Vec<Effective>, Mistakes) {
        self.effective.sort_by_key(|read| settings::all().position(|setting| setting.name == read.name));
        (self.effective, self.mistakes)
    }

    /// Adds a mistake. Returns `None`, for a section that is thereby not read.
    pub(super) fn reject<T>(&mut self, subject: &str, problem: Problem) -> Option<T> {
        let mistake = Mistake { subject: subject.to_owned(), problem };
        // Two sections may read the same setting.
        if !self.mistakes.0.contains(&mistake) {
            self.mistakes.0.push(mistake);
        }
        None
    }

    /// Reads `APP_ENV`.
    pub(super) fn app_env(&mut self) -> Option<AppEnv> {
        self.parsed(&settings::APP_ENV, AppEnv::parse)
    }

    /// Reads a text, without its default.
    pub(super) fn given(&mut self, setting: &Setting) -> Option<String> {
        let value = self.value(setting);
        self.note(setting, value.as_deref().unwrap_or_default());
        value
    }

    /// Reads a text or its default; it is empty if there is neither.
    pub(super) fn text(&mut self, setting: &Setting) -> String {
        let default = match setting.default_in_dev {
            Some(default) if self.app_env() == Some(AppEnv::Dev) => default,
            _ => setting.default.text(),
        };
        let value = self.value(setting).unwrap_or_else(|| default.to_owned());
        self.note(setting, &value);
        value
    }

    /// Reads a text that is within the limits of its form, and that `parse` understands.
    pub(super) fn parsed<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let (form, text) = (self.form(setting), self.text(setting));
        let value = if form.accepts(&text) { parse(&text) } else { None };
        value.or_else(|| self.reject(setting.name, form.problem()))
    }

    /// Reads a number.
    pub(super) fn number<N: FromStr>(&mut self, setting: &Setting) -> Option<N> {
        self.parsed(setting, |text| text.parse().ok())
    }

    /// Reads a number that may be left out. The outer `None` is a mistake.
    #[expect(clippy::option_option, reason = "the outer one is that of every reader")]
    pub(super) fn optional_number<N: FromStr>(&mut self, setting: &Setting) -> Option<Option<N>> {
        if self.given(setting).is_some() { self.number(setting).map(Some) } else { Some(None) }
    }

    /// Reads a secret that may be left out: the setting itself, or the content of the file that `NAME_FILE` names, less
    /// the line ends after it. The outer `None` is a mistake.
    #[expect(clippy::option_option, reason = "the outer one is that of every reader")]
    pub(super) fn secret(&mut self, setting: &Setting) -> Option<Option<SecretString>> {
        let name = setting.name;
        let file_name = format!("{name}_FILE");
        let file = self.lookup.value(&file_name).map(PathBuf::from);
        let secret = match (self.lookup.value(name), file) {
            (Some(_), Some(_)) => {
                return self.reject(&format!("{name} and {file_name}"), Problem::ValueAndFile);
            }
            (Some(_), None) => Some(self.value(setting)?),
            (None, Some(path)) => match read_small(&path) {
                Ok(content) => Some(content.trim_end_matches(['\r', '\n']).to_owned()),
                Err(error) => return self.reject(&file_name, Problem::FileUnreadable(path, error)),
            },
            (None, None) => None,
        };
        self.note(setting, if secret.is_some() { "[secret]" } else { "" });
        Some(secret.map(SecretString::from))
    }

    /// Reads several secrets, comma-separated; none if they may be left out.
    pub(super) fn secrets(&mut self, setting: &Setting) -> Option<Vec<SecretString>> {
        match self.secret(setting)? {
            Some(all) if setting.form.accepts(all.expose_secret()) => {
                Some(all.expose_secret().split(',').map(|secret| secret.trim().into()).collect())
            }
            Some(_) => self.reject(setting.name, setting.form.problem()),
            None if setting.default == DefaultValue::Required => self.reject(setting.name, Problem::Missing),
            None => Some(Vec::new()),
        }
    }

    /// Values that the setting accepts in this environment.
    fn form(&mut self, setting: &Setting) -> Form {
        match (setting.form, setting.min_in_prod) {
            (Form::Number { max, .. }, Some(min)) if self.app_env() == Some(AppEnv::Prod) => {
                Form::Number { min, max }
            }
            (form, _) => form,
        }
    }

    /// The value that is set; one that is not UTF-8 is a mistake.
    fn value(&mut self, setting: &Setting) -> Option<String> {
        match self.lookup.value(setting.name)?.into_string() {
            Ok(value) => Some(value),
            Err(_) => self.reject(setting.name, Problem::NotText),
        }
    }

    fn note(&mut self, setting: &Setting, value: &str) {
        if self.effective.iter().all(|known| known.name != setting.name) {
            self.effective.push(Effective { name: setting.name, value: value.to_owned() });
        }
    }
}
