//! Paths of the stack's files, inside the checkout and, where it must be, outside.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use nix::unistd::geteuid;

use super::secret;

/// File that names a folder's stand-in.
const STAND_IN: &str = "stand-in";

/// Returns the root of the checkout.
#[must_use]
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_owned()
}

/// Returns the folder that cargo builds in: `CARGO_TARGET_DIR`, else `target`.
#[must_use]
pub fn target() -> PathBuf {
    // Joining an absolute path gives that path.
    root().join(super::variable("CARGO_TARGET_DIR").unwrap_or_else(|| "target".to_owned()))
}

/// Returns the path of the plugin.
#[must_use]
pub fn filter_wasm() -> PathBuf {
    target().join("edgeward.wasm")
}

/// Returns the path of the native module.
#[must_use]
pub fn filter_native() -> PathBuf {
    target().join("libedgeward.so")
}

/// Returns the path of a program of the workspace, built in the dev profile.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// Returns the path of the companion. `EDGEWARD` in the environment names another build of it, to measure.
#[must_use]
pub fn edgeward() -> PathBuf {
    super::variable("EDGEWARD").map_or_else(|| program("edgeward"), PathBuf::from)
}

/// Returns a folder of this test program alone. The next run of the program removes it.
#[must_use]
pub fn test_folder(name: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let stem = program.file_stem().unwrap_or_default().to_string_lossy();
    // Cargo adds a hash of the dependencies to the name.
    let program = stem.rsplit_once('-').map_or(&*stem, |(program, _)| program);
    target().join("tmp").join(program).join(name)
}

/// Returns the folder of installed programs.
#[must_use]
pub fn tools() -> PathBuf {
    target().join("tools")
}

/// Returns the folder of the stack that `cargo xtask up` starts. It belongs to the checkout, wherever cargo builds.
#[must_use]
pub fn stack() -> PathBuf {
    root().join("target/stack")
}

/// Returns a folder in the system's temporary one, for files of `directory` where the user that needs them cannot enter it,
/// as below `/root`. `directory` holds its random name.
pub fn stand_in(directory: &Path) -> Result<PathBuf> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let path = stand_in_named(&secret::keep(&directory.join(STAND_IN))?);
    fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
    let found = fs::symlink_metadata(&path)?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() {
        bail!("{} belongs to another user: remove it", path.display());
    }
    // Whatever the umask is, another user must be able to enter.
    fs::set_permissions(&path, Permissions::from_mode(0o755))?;
    Ok(path.canonicalize()?)
}

/// Returns the stand-in of a folder, if it has one.
#[must_use]
pub fn existing_stand_in(directory: &Path) -> Option<PathBuf> {
    let name = fs::read_to_string(directory.join(STAND_IN)).ok()?;
    Some(stand_in_named(&name)).filter(|path| path.exists())
}

fn stand_in_named(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("edgeward-{name:.16}"))
}
