//! Reader of one object of the configuration. Members are taken by their names and types. Every mistake is collected
//! with its JSON path, so that one look at the log is enough to correct all.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::RangeInclusive;

use thiserror::Error;

use crate::json::{self, Json};
use crate::path::CanonicalPath;

/// Mistake in a configuration: a value that does not parse, or one that contradicts another.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{} {problem}", if .path.is_empty() { "the configuration" } else { .path })]
pub struct Mistake {
    /// JSON path of the value, such as `rules[2].prefix`; empty for the whole configuration.
    pub path: String,
    /// Fault of the value, in words that follow its path.
    pub problem: String,
}

/// Mistakes in the order in which they are found.
#[derive(Default)]
pub struct Mistakes(RefCell<Vec<Mistake>>);

impl Mistakes {
    /// Adds a mistake.
    pub fn add(&self, path: &str, problem: impl Into<String>) {
        self.0.borrow_mut().push(Mistake { path: path.to_owned(), problem: problem.into() });
    }

    /// `true` if there is none so far.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Returns all mistakes, in the order in which they were found.
    pub fn into_vec(self) -> Vec<Mistake> {
        self.0.into_inner()
    }
}

/// Object whose members are taken one after the other.
pub struct Section<'j, 'm> {
    path: String,
    members: Vec<(Cow<'j, str>, Json<'j>)>,
    mistakes: &'m Mistakes,
}

impl<'j, 'm> Section<'j, 'm> {
    /// Opens an object. Each repeated member is a mistake, and so is a value that is no object: then it returns `None`.
    pub fn open(value: Json<'j>, path: String, mistakes: &'m Mistakes) -> Option<Self> {
        let Json::Object(members) = value else {
            mistakes.add(&path, format!("must be an object, not {}", value.kind()));
            return None;
        };
        let section = Self { path, members, mistakes };
        for name in json::repeated_names(&section.members) {
            mistakes.add(&section.path_of(name), "stands more than once");
        }
        Some(section)
    }

    /// Returns the JSON path of a member, or of the object itself if the name is empty.
    pub fn path_of(&self, name: &str) -> String {
        match (self.path.is_empty(), name.is_empty()) {
            (true, _) => name.to_owned(),
            (false, true) => self.path.clone(),
            (false, false) => format!("{}.{name}", self.path),
        }
    }

    /// `true` if a member is present and not taken yet.
    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(this, _)| this == name)
    }

    /// Adds a mistake at a member, or at the object itself if the name is empty.
    pub fn add_mistake(&self, name: &str, problem: impl Into<String>) {
        self.mistakes.add(&self.path_of(name), problem);
    }

    /// Takes a member of any type. [`Self::reject_unknown`] reports the members that are left.
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

    /// Takes a required member that is an object.
    pub fn required_section(&mut self, name: &str) -> Option<Section<'j, 'm>> {
        if self.has(name) { self.section(name) } else { self.reject(name, "is required") }
    }

    /// Takes a string of visible ASCII characters and spaces, at least one.
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

    /// Takes a required string, as [`Self::text`] does.
    pub fn required_text(&mut self, name: &str) -> Option<String> {
        if self.has(name) { self.text(name) } else { self.reject(name, "is required") }
    }

    /// Takes a string that is one of `choices`.
    pub fn one_of(&mut self, name: &str, choices: &'static [&'static str]) -> Option<&'static str> {
        let text = self.text(name)?;
        match choices.iter().find(|choice| **choice == text) {
            Some(choice) => Some(choice),
            None => self.reject(name, format!("must be one of: {}", choices.join(", "))),
        }
    }

    /// Takes an HTTP token (RFC 9110 §5.6.2), the form of names of headers, cookies and methods.
    pub fn http_token(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        if is_http_token(&text) {
            Some(text)
        } else {
            self.reject(name, "may hold letters, digits and !#$%&'*+-.^_`|~ only")
        }
    }

    /// Takes a path without a query, in its canonical spelling.
    pub fn path(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let canonical = match CanonicalPath::read(text.as_bytes()) {
            Ok(path) => path.as_str().to_owned(),
            Err(ambiguity) => return self.reject(name, format!("can never match: it {ambiguity}")),
        };
        if canonical == text {
            Some(text)
        } else {
            self.reject(name, format!("can never match: it is matched as \"{canonical}\""))
        }
    }

    /// Takes an integer within `bounds`.
    pub fn integer(&mut self, name: &str, bounds: RangeInclusive<u32>) -> Option<u32> {
        let within = |value: i128| u32::try_from(value).ok().filter(|value| bounds.contains(value));
        match self.take(name)? {
            Json::Integer(value) if within(value).is_some() => within(value),
            _ => {
                let problem = format!("must be an integer from {} to {}", bounds.start(), bounds.end());
                self.reject(name, problem)
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

    /// Takes a list whose length is within `counts`. Returns each value with its JSON path.
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

    /// Takes a list of 1 to `max` strings that satisfy `passes`. `shape` describes such a string in a mistake.
    pub fn texts(
        &mut self,
        name: &str,
        max: usize,
        passes: fn(&str) -> bool,
        shape: &str,
    ) -> Option<Vec<String>> {
        let items = self.list(name, 1..=max)?;
        let texts = items.into_iter().filter_map(|(path, item)| match item {
            Json::String(text) if passes(&text) => Some(text.into_owned()),
            _ => {
                self.mistakes.add(&path, format!("must be {shape}"));
                None
            }
        });
        Some(texts.collect())
    }

    /// Adds a mistake for each member that was not taken.
    pub fn reject_unknown(self) {
        for (name, _) in &self.members {
            self.add_mistake(name, "is not known");
        }
    }

    /// Adds a mistake at a member, and returns `None` in place of its value.
    pub fn reject<T>(&self, name: &str, problem: impl Into<String>) -> Option<T> {
        self.add_mistake(name, problem);
        None
    }
}

/// `true` if the text is an HTTP token (RFC 9110 §5.6.2).
pub fn is_http_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
