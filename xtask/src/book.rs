//! `cargo xtask docs`: the documents as a book, target/book/index.html.

mod links;

use std::fs;
use std::path::{Component, Path, PathBuf};

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

/// First page, at the root of the checkout.
const COVER: &str = "README.md";
/// Folder of the other pages.
const PAGES: &str = "docs";
/// Table of contents, which is no page.
const SUMMARY: &str = "SUMMARY.md";

/// Writes the references, builds the book, and checks its links.
pub(crate) fn build() -> Result<()> {
    references::write()?;
    let (root, source) = (paths::root(), paths::root().join("target/book-source"));
    let pages = source.join("src");
    if source.exists() {
        fs::remove_dir_all(&source).context("cannot remove the former pages of the book")?;
    }
    write(&source.join("book.toml"), SETTINGS.as_bytes())?;
    let read =
        |file: &Path| fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()));
    write(&pages.join(COVER), within_the_book(&read(&root.join(COVER))?, Path::new("")).as_bytes())?;
    for page in files::below(PAGES, "md")? {
        let below = page.strip_prefix(root.join(PAGES))?;
        let mut text = within_the_book(&read(&page)?, page.parent().unwrap_or(&page).strip_prefix(&root)?);
        if below == Path::new(SUMMARY) {
            text = format!("[Edgeward]({COVER})\n\n{text}");
        }
        write(&pages.join(below), text.as_bytes())?;
    }
    for extension in ["png", "svg", "json"] {
        for file in files::below(PAGES, extension)? {
            let below = file.strip_prefix(root.join(PAGES))?;
            write(&pages.join(below), &fs::read(&file)?)?;
        }
    }
    let mut mdbook = tool::command(MDBOOK)?;
    tool::require(edgeward_stack::process::run(mdbook.arg("build").arg(&source))?)?;
    let book = root.join("target/book");
    links::check(&book)?;
    progress::say(&format!("the book: {}", book.join("index.html").display()));
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))
        .and_then(|()| fs::write(path, bytes))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Leads the links of a page in `folder` to other pages of the book. Those to files that the book does not have become text.
fn within_the_book(text: &str, folder: &Path) -> String {
    let mut parts = text.split("](");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (target, rest) = part.split_once(')').unwrap_or((part, ""));
        match in_the_book(target, folder) {
            Ok(target) => kept.extend(["](", &target, ")", rest]),
            Err(path) => {
                // The path follows the text of the link, whose bracket goes.
                if let Some(at) = kept.rfind('[') {
                    kept.remove(at);
                }
                kept.extend([" (`", &path, "`)", rest]);
            }
        }
    }
    kept
}

/// Returns the target of a link as the book has it. If the book does not have it, returns its path in the checkout as an error.
fn in_the_book(target: &str, folder: &Path) -> Result<String, String> {
    if target.contains(':') || target.starts_with('#') {
        return Ok(target.to_owned());
    }
    let mut path = PathBuf::new();
    for component in folder.join(target).components() {
        match component {
            Component::ParentDir => drop(path.pop()),
            other => path.push(other),
        }
    }
    match path.strip_prefix(PAGES) {
        Ok(page) if page != Path::new(SUMMARY) => {
            // The cover moves into the folder of the pages.
            let is_cover = folder == Path::new("");
            Ok(if is_cover { page.display().to_string() } else { target.to_owned() })
        }
        _ => Err(path.display().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_that_the_book_does_not_have_become_text() {
        for (folder, text, expected) in [
            (
                "docs/guide",
                "See [the rules](../../envoy/envoy.yaml), [keys](keys.md) and [it](../../a.md#b).",
                "See the rules (`envoy/envoy.yaml`), [keys](keys.md) and it (`a.md#b`).",
            ),
            (
                "",
                "![D](docs/images/d.png) [a](docs/a.md#b), [c](SUMMARY.md), [all](docs/SUMMARY.md), [R](https://r.rs)",
                "![D](images/d.png) [a](a.md#b), c (`SUMMARY.md`), all (`docs/SUMMARY.md`), [R](https://r.rs)",
            ),
        ] {
            assert_eq!(within_the_book(text, Path::new(folder)), expected);
        }
    }
}
