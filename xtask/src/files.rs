//! Files of the checkout, by folder and extension.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use edgeward_stack::paths;

/// Returns every file with this extension below a folder of the checkout, in order.
pub(crate) fn below(folder: &str, extension: &str) -> Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![paths::root().join(folder)]);
    while let Some(current) = folders.pop() {
        let entries = fs::read_dir(&current).with_context(|| format!("cannot read {}", current.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
