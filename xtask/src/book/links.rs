//! Links of the book that was built: each leads to a file, and to an element of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

/// Pages that repeat others, or are served for every address.
const OTHERS: [&str; 3] = ["404.html", "print.html", "toc.html"];

/// Checks every link between pages.
pub(super) fn check(book: &Path) -> Result<()> {
    let mut pages = BTreeMap::new();
    read(book, &mut pages)?;
    let mut faults = Vec::new();
    for (page, text) in &pages {
        for link in values(text, "href").chain(values(text, "src")).filter(|link| !link.contains(':')) {
            let (path, id) = link.split_once('#').unwrap_or((link, ""));
            let file = if path.is_empty() { page.clone() } else { page.with_file_name("").join(path) };
            let file = file.canonicalize().unwrap_or(file);
            let has_id = |text: &String| id.is_empty() || values(text, "id").any(|known| known == id);
            if !file.exists() || !pages.get(&file).is_none_or(has_id) {
                faults.push(format!("{}: a link leads nowhere: {link}", page.display()));
            }
        }
    }
    ensure!(faults.is_empty(), "\n    {}", faults.join("\n    "));
    Ok(())
}

/// Reads the pages below a folder.
fn read(folder: &Path, pages: &mut BTreeMap<PathBuf, String>) -> Result<()> {
    let folder = folder.canonicalize().with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, pages)?;
        } else if path.extension().is_some_and(|end| end == "html")
            && !OTHERS.iter().any(|other| path.ends_with(other))
        {
            let text = fs::read_to_string(&path)?;
            pages.insert(path, text);
        }
    }
    Ok(())
}

/// Returns the values of an attribute.
fn values<'t>(text: &'t str, attribute: &str) -> impl Iterator<Item = &'t str> {
    let start = format!(" {attribute}=\"");
    let at: Vec<usize> = text.match_indices(&start).map(|(at, _)| at + start.len()).collect();
    at.into_iter().filter_map(|at| text.get(at..)?.split('"').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_one_attribute() {
        let text = r##"<a class="b" href="c.html#d">e</a><img src="f.png"><a id="g" href="#h">"##;
        assert_eq!(values(text, "href").collect::<Vec<_>>(), ["c.html#d", "#h"]);
        assert_eq!(values(text, "id").collect::<Vec<_>>(), ["g"]);
    }
}
