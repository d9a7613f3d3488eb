//! One object of the configuration while it is read: every member is taken by its name and type, and
//! whatever is wrong is written down with its JSON path, so that one look at the log mends it all.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;

use crate::json::{self, Json};
use crate::path::CanonicalPath;

/// One thing wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The JSON path of the value, such as `rules[2].prefix`; empty for the whole.
    pub path: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the configuration" } else { &self.path };
        write!(formatter, "{path} {}", self.what)
    }
}

/// All that is wrong, as it is found.
#[derive(Default)]
pub struct Mistakes(RefCell<Vec<Mistake>>);

impl Mistakes {
    /// Writes one down.
    pub fn add(&self, path: &str, what: impl Into<String>) {
        self.0.borrow_mut().push(Mistake { path: path.to_owned(), what: what.into() });
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// All of them, in the order they were found.
    pub fn into_vec(self) -> Vec<Mistake> {
        self.0.into_inner()
    }
}

/// An object whose members are taken one after the other.
pub struct Section<'j, 'm> {
    path: String,
    members: Vec<(Cow<'j, str>, Json<'j>)>,
    mistakes: &'m Mistakes,
}

impl<'j, 'm> Section<'j, 'm> {
    /// Opens an object; a member that stands twice is a mistake already.
    pub fn open(value: Json<'j>, path: String, mistakes: &'m Mistakes) -> Option<Self> {
        let Json::Object(members) = value else {
            mistakes.add(&path, format!("must be an object, not {}", value.kind()));
            return None;
        };
        let section = Self { path, members, mistakes };
        for name in json::repeated(&section.members) {
            mistakes.add(&section.path_of(name), "stands more than once");
        }
        Some(section)
    }

    /// The JSON path of a member, or of the object itself where the name is empty.
    pub fn path_of(&self, name: &str) -> String {
        match (self.path.is_empty(), name.is_empty()) {
            (true, _) => name.to_owned(),
            (false, true) => self.path.clone(),
            (false, false) => format!("{}.{name}", self.path),
        }
    }

    /// Whether a member is there and was not taken.
    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(this, _)| this == name)
    }

    /// Writes a mistake down at a member.
    pub fn mistake(&self, name: &str, what: impl Into<String>) {
        self.mistakes.add(&self.path_of(name), what);
    }

    /// Takes a member out; what is left at the end is unknown.
    pub fn take(&mut self, name: &str) -> Option<Json<'j>> {
        let at = self.members.iter().position(|(this, _)| this == name)?;
        let (_, value) = self.members.remove(at);
        self.members.retain(|(this, _)| this != name);
        Some(value)
    }

    /// Takes a member that is an object.
    pub fn section(&mut self, name: &str) -> Option<Section<'j, 'm>> {
        let value = self.take(name)?;
        Section::open(value, self.path_of(name), self.mistakes)
    }

    /// Takes an object that must be there.
    pub fn required_section(&mut self, name: &str) -> Option<Section<'j, 'm>> {
        if self.has(name) { self.section(name) } else { self.reject(name, "is required") }
    }

    /// Takes a member that is a string of visible ASCII characters and spaces, at least one.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Json::String(text)
                if !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) =>
            {
                Some(text.into_owned())
            }
            Json::String(text) if text.is_empty() => self.reject(name, "must not be empty"),
            Json::String(_) => self.reject(name, "must be a text of visible ASCII characters"),
            other => self.reject(name, format!("must be a string, not {}", other.kind())),
        }
    }

    /// Takes a text that must be there.
    pub fn required_text(&mut self, name: &str) -> Option<String> {
        if self.has(name) { self.text(name) } else { self.reject(name, "is required") }
    }

    /// Takes a text that is one of these.
    pub fn one_of(&mut self, name: &str, choices: &'static [&'static str]) -> Option<&'static str> {
        let text = self.text(name)?;
        match choices.iter().find(|choice| **choice == text) {
            Some(choice) => Some(choice),
            None => self.reject(name, format!("must be one of: {}", choices.join(", "))),
        }
    }

    /// Takes an HTTP token (RFC 9110 §5.6.2), as names of headers, cookies and methods are.
    pub fn http_token(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        if is_token(&text) {
            Some(text)
        } else {
            self.reject(name, "may hold letters, digits and !#$%&'*+-.^_`|~ only")
        }
    }

    /// Takes a path without a query, in its one canonical spelling.
    pub fn path(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let canonical = match CanonicalPath::read(text.as_bytes()) {
            Ok(path) => path.as_str().to_owned(),
            Err(_) => {
                return self
                    .reject(name, "can never match: requests for such a path are refused as ambiguous");
            }
        };
        if canonical == text {
            Some(text)
        } else {
            self.reject(name, format!("can never match: it is matched as \"{canonical}\""))
        }
    }

    /// Takes an integer within these bounds.
    pub fn integer(&mut self, name: &str, bounds: RangeInclusive<u32>) -> Option<u32> {
        let within = |value: i128| u32::try_from(value).ok().filter(|value| bounds.contains(value));
        match self.take(name)? {
            Json::Integer(value) if within(value).is_some() => within(value),
            _ => {
                let what = format!("must be an integer from {} to {}", bounds.start(), bounds.end());
                self.reject(name, what)
            }
        }
    }

    /// Takes `true` or `false`.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        match self.take(name)? {
            Json::Bool(value) => Some(value),
            other => self.reject(name, format!("must be true or false, not {}", other.kind())),
        }
    }

    /// Takes a list of so many values, each with its JSON path.
    pub fn list(&mut self, name: &str, counts: RangeInclusive<usize>) -> Option<Vec<(String, Json<'j>)>> {
        match self.take(name)? {
            Json::Array(items) if items.len() < *counts.start() => self.reject(name, "must not be empty"),
            Json::Array(items) if items.len() > *counts.end() => self.reject(
                name,
                format!("has {} entries, and at most {} are allowed", items.len(), counts.end()),
            ),
            Json::Array(items) => {
                let path = self.path_of(name);
                Some(
                    items.into_iter().enumerate().map(|(at, item)| (format!("{path}[{at}]"), item)).collect(),
                )
            }
            other => self.reject(name, format!("must be a list, not {}", other.kind())),
        }
    }

    /// Takes a list of 1 to `most` strings, each of which must pass; `shape` says what passes.
    pub fn texts(
        &mut self,
        name: &str,
        most: usize,
        passes: fn(&str) -> bool,
        shape: &str,
    ) -> Option<Vec<String>> {
        let items = self.list(name, 1..=most)?;
        let texts = items.into_iter().filter_map(|(path, item)| match item {
            Json::String(text) if passes(&text) => Some(text.into_owned()),
            _ => {
                self.mistakes.add(&path, format!("must be {shape}"));
                None
            }
        });
        Some(texts.collect())
    }

    /// Writes down what nobody took.
    pub fn end(self) {
        for (name, _) in &self.members {
            self.mistake(name, "is not known");
        }
    }

    /// Writes a mistake down at a member, which then has no value.
    pub fn reject<T>(&self, name: &str, what: impl Into<String>) -> Option<T> {
        self.mistake(name, what);
        None
    }
}

/// Whether it is an HTTP token (RFC 9110 §5.6.2).
pub fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
