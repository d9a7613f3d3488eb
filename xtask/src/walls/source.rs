//! Source files as the walls are checked in them: where they stand, and their text without comments.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use edgeward_stack::paths;

use crate::files;

/// Source file.
pub(super) struct Source {
    /// Path below the root of the checkout.
    pub(super) path: String,
    /// Path below the folder that was read.
    pub(super) below: String,
    /// Module at the top of the crate that the file belongs to.
    pub(super) module: String,
    /// Text without comments.
    pub(super) code: String,
    /// Number of lines, comments and tests among them.
    pub(super) lines: usize,
}

/// Reads every source file below a folder.
pub(super) fn read(folder: &str) -> Result<Vec<Source>> {
    files::below(folder, "rs")?.iter().map(|path| Source::read(path, folder)).collect()
}

impl Source {
    fn read(path: &Path, folder: &str) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let below = path.strip_prefix(paths::root().join(folder)).unwrap_or(path).to_string_lossy();
        Ok(Self { path: format!("{folder}/{below}"), ..Self::from_text(&below, &text) })
    }

    /// Returns the file with this path below the folder, and this text.
    pub(super) fn from_text(below: &str, text: &str) -> Self {
        Self {
            path: below.to_owned(),
            below: below.to_owned(),
            module: below.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned(),
            code: without_comments(text),
            lines: text.lines().count(),
        }
    }

    /// `true` if the file holds tests alone.
    pub(super) fn is_test(&self) -> bool {
        self.below.split('/').any(|part| part == "tests" || part == "tests.rs")
    }

    /// Removes the tests at the end of the file.
    pub(super) fn without_tests(mut self) -> Self {
        if let Some((code, _)) = self.code.split_once("#[cfg(test)]\nmod tests {") {
            self.code = code.to_owned();
        }
        self
    }

    /// `true` if the file belongs to this module, or is this file.
    pub(super) fn is_in(&self, module_or_path: &str) -> bool {
        self.module == module_or_path || self.below == module_or_path
    }
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}
