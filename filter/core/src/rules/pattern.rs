//! Patterns of paths.

use crate::fold;

/// Paths of a rule, in canonical spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// This path alone.
    Exact(String),
    /// This path and all paths below it, by whole segments. It has no slash at its end.
    Prefix(String),
}

impl Pattern {
    /// Returns the pattern of a prefix, which may end with a slash.
    #[must_use]
    pub fn prefix(path: &str) -> Self {
        Self::Prefix(path.strip_suffix('/').unwrap_or(path).to_owned())
    }

    /// Returns the pattern with its path folded.
    pub(super) fn folded(&self) -> Self {
        match self {
            Self::Exact(path) => Self::Exact(fold::path(path)),
            Self::Prefix(path) => Self::Prefix(fold::path(path)),
        }
    }

    /// `true` if the pattern matches this path.
    pub(super) fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == path,
            Self::Prefix(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|below| below.is_empty() || below.starts_with('/')),
        }
    }

    /// `true` if the pattern matches every path that `other` matches.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(_), Self::Prefix(_)) => false,
            (_, Self::Exact(path) | Self::Prefix(path)) => self.matches(path),
        }
    }
}
