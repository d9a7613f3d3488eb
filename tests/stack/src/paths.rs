//! Where the stack's files are, inside the checkout and, where it must be, outside; never what they hold.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use nix::unistd::geteuid;

use super::secret;

/// The file that names a folder's stand-in.
const STAND_IN: &str = "stand-in";

/// The root of the checkout.
#[must_use]
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_owned()
}

/// Where cargo builds, `CARGO_TARGET_DIR` included.
#[must_use]
pub fn target() -> PathBuf {
    // Joining an absolute path gives that path.
    root().join(super::variable("CARGO_TARGET_DIR").unwrap_or_else(|| "target".to_owned()))
}

/// The filter, ready for Envoy.
#[must_use]
pub fn filter_wasm() -> PathBuf {
    target().join("edgeward.wasm")
}

/// A program of the workspace, built in the dev profile.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// The companion and its command line. `EDGEWARD` in the environment names another build of it, to measure.
#[must_use]
pub fn edgeward() -> PathBuf {
    super::variable("EDGEWARD").map_or_else(|| program("edgeward"), PathBuf::from)
}

/// A folder for each test program, so that none meets another's files, and the next run clears up after this one.
#[must_use]
pub fn test_folder(name: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let stem = program.file_stem().unwrap_or_default().to_string_lossy();
    // Cargo adds a hash to the name, which changes with the dependencies.
    let program = stem.rsplit_once('-').map_or(&*stem, |(program, _)| program);
    target().join("tmp").join(program).join(name)
}

/// Where programs are installed that the machine lacks.
#[must_use]
pub fn tools() -> PathBuf {
    target().join("tools")
}

/// The folder of the stack that `cargo xtask up` starts: it belongs to the checkout, wherever cargo builds.
#[must_use]
pub fn stack() -> PathBuf {
    root().join("target/stack")
}

/// A folder under the system's temporary one, for files of `directory` which a user needs who cannot enter
/// it, as below `/root`. Its name is kept in `directory`: nobody else can guess it, and it goes when that goes.
pub fn stand_in(directory: &Path) -> Result<PathBuf> {
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let path = stand_in_named(&secret::keep(&directory.join(STAND_IN))?);
    fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
    let found = fs::symlink_metadata(&path)?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() {
        bail!("{} belongs to somebody else: remove it", path.display());
    }
    // Whatever the umask: the point of it is that another user can enter.
    fs::set_permissions(&path, Permissions::from_mode(0o755))?;
    Ok(path.canonicalize()?)
}

/// The stand-in, where there is one.
#[must_use]
pub fn existing_stand_in(directory: &Path) -> Option<PathBuf> {
    let name = fs::read_to_string(directory.join(STAND_IN)).ok()?;
    Some(stand_in_named(&name)).filter(|path| path.exists())
}

fn stand_in_named(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("edgeward-{name:.16}"))
}
