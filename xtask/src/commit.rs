//! The commit of the checkout, for builds that are shipped.

use std::path::Path;
use std::process::Command;

use edgeward_stack::{paths, process, variable};

/// Variable that a build reads the commit from (`wire/build.rs`).
pub(crate) const VARIABLE: &str = "EDGEWARD_COMMIT";

/// Returns the commit: that of the environment where git is absent, as in an image's build, else what git says.
/// `unknown` without both.
pub(crate) fn name() -> String {
    variable(VARIABLE).or_else(|| described(paths::root().as_path())).unwrap_or_else(|| "unknown".to_owned())
}

/// Returns the short hash of the commit in `root`, with `-dirty` if tracked files differ from it. The repository must begin
/// there: an unpacked archive inside another repository has no commit.
fn described(root: &Path) -> Option<String> {
    let mut git = Command::new("git");
    git.arg("--git-dir").arg(root.join(".git")).arg("--work-tree").arg(root);
    git.args(["describe", "--always", "--dirty", "--exclude=*", "--abbrev=7"]);
    process::output(git.current_dir(root)).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use edgeward_stack::paths::test_folder;

    use super::*;

    fn git(folder: &Path, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]);
        process::output(git.current_dir(folder).args(arguments)).unwrap()
    }

    #[test]
    fn commit_is_that_of_the_checkout_and_says_if_it_is_dirty() {
        let root = test_folder("commit");
        let _absent = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("inside")).unwrap();
        assert_eq!(described(&root), None);
        fs::write(root.join("file"), "1").unwrap();
        git(&root, &["init", "--quiet"]);
        git(&root, &["add", "."]);
        git(&root, &["commit", "--quiet", "--message", "First"]);
        let hash = git(&root, &["rev-parse", "--short=7", "HEAD"]);
        assert_eq!(described(&root).as_deref(), Some(hash.trim()));
        assert_eq!(described(&root.join("inside")), None);
        fs::write(root.join("file"), "2").unwrap();
        assert_eq!(described(&root), Some(format!("{}-dirty", hash.trim())));
    }
}
