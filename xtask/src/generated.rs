//! Documents that are generated, whole or in part: written, and compared with the files that are there.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use edgeward_stack::paths;

/// Generated file, or generated part of a file.
pub(crate) struct Document {
    /// Path below the root of the checkout.
    pub(crate) path: &'static str,
    /// Lines around the generated part; `None` if the whole file is generated.
    pub(crate) markers: Option<[&'static str; 2]>,
    /// Generated text.
    pub(crate) text: String,
}

/// Writes documents.
pub(crate) fn write(documents: &[Document]) -> Result<()> {
    for document in documents {
        let path = document.file();
        let (_, renewed) = document.render()?;
        let folder = path.parent().unwrap_or(&path);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, renewed))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Checks that the files have the generated texts. `command` writes them from `sources`.
pub(crate) fn check(documents: &[Document], sources: &str, command: &str) -> Result<()> {
    let mut stale = Vec::new();
    for document in documents {
        let (present, renewed) = document.render()?;
        if present != renewed {
            stale.push(document.path);
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    bail!(
        "these differ from {sources}: {}: run `cargo xtask {command}` and commit what it writes",
        stale.join(", ")
    )
}

impl Document {
    fn file(&self) -> PathBuf {
        paths::root().join(self.path)
    }

    /// Returns the text of the file (empty if there is none), and the text that it must have.
    fn render(&self) -> Result<(String, String)> {
        let path = self.file();
        let present = if path.exists() {
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?
        } else {
            String::new()
        };
        let renewed = match self.markers {
            None => self.text.clone(),
            Some(markers) => replace_between(&present, markers, &self.text)
                .with_context(|| format!("{}: a line is missing: {}", self.path, markers.concat()))?,
        };
        Ok((present, renewed))
    }
}

/// Replaces the text between two lines, which stay. `None` if one of them is missing.
fn replace_between(text: &str, [start, end]: [&str; 2], generated: &str) -> Option<String> {
    let (before, rest) = text.split_once(start)?;
    let (_, after) = rest.split_once(end)?;
    Some([before, start, generated, end, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_between_the_markers_is_replaced() {
        let markers = ["<a>\n", "<b>\n"];
        let replaced = replace_between("1\n<a>\n2\n<b>\n3\n", markers, "new\n");
        assert_eq!(replaced.as_deref(), Some("1\n<a>\nnew\n<b>\n3\n"));
        assert_eq!(replace_between("1\n<b>\n<a>\n", markers, "new\n"), None);
        assert_eq!(replace_between("1\n", markers, "new\n"), None);
    }
}
