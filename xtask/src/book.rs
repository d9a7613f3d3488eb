//! `cargo xtask docs`: the documents as a book, target/book/index.html.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use edgeward_stack::paths;

use crate::tool::{self, MDBOOK};
use crate::{files, progress, references};

const SETTINGS: &str = "\
[book]
title = \"Edgeward\"
language = \"en\"

[build]
build-dir = \"../book\"

[output.html]
no-section-label = true
";

/// Writes the references, and builds the book.
pub(crate) fn build() -> Result<()> {
    references::write()?;
    let (root, source) = (paths::root(), paths::root().join("target/book-source"));
    let pages = source.join("src");
    if source.exists() {
        fs::remove_dir_all(&source).context("cannot remove the former pages of the book")?;
    }
    write(&source.join("book.toml"), SETTINGS.as_bytes())?;
    for page in files::below("docs", "md")? {
        let text = fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
        let below = page.strip_prefix(root.join("docs"))?;
        write(&pages.join(below), within_the_book(&text).as_bytes())?;
    }
    for extension in ["png", "svg", "json"] {
        for file in files::below("docs", extension)? {
            let below = file.strip_prefix(root.join("docs"))?;
            write(&pages.join(below), &fs::read(&file)?)?;
        }
    }
    let mut mdbook = tool::command(MDBOOK)?;
    tool::require(edgeward_stack::process::run(mdbook.arg("build").arg(&source))?)?;
    progress::say(&format!("the book: {}", root.join("target/book/index.html").display()));
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))
        .and_then(|()| fs::write(path, bytes))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Turns links that leave docs/ into plain text: the book has no page for them.
fn within_the_book(text: &str) -> String {
    let mut parts = text.split("](../../");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (target, rest) = part.split_once(')').unwrap_or((part, ""));
        // The path follows the text of the link, whose bracket goes.
        if let Some(at) = kept.rfind('[') {
            kept.remove(at);
        }
        kept.extend([" (`", target, "`)", rest]);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_out_of_the_documents_become_text() {
        let text = "See [the rules](../../envoy/envoy.yaml), [keys](keys.md) and [it](../../a.md#b).";
        let expected = "See the rules (`envoy/envoy.yaml`), [keys](keys.md) and it (`a.md#b`).";
        assert_eq!(within_the_book(text), expected);
    }
}
