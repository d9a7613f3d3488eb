//! Adds the commit to the version. Whoever builds to ship names it in `EDGEWARD_COMMIT`, as `cargo xtask filter` and the
//! Dockerfile's build argument do. Asking git here would compile everything again after each commit.

#[expect(clippy::disallowed_methods, reason = "the one place where the build reads the environment")]
fn main() {
    println!("cargo::rerun-if-env-changed=EDGEWARD_COMMIT");
    let commit = std::env::var("EDGEWARD_COMMIT").unwrap_or_default();
    let commit = if commit.is_empty() { "unknown" } else { &commit };
    if !commit.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        println!("cargo::error=EDGEWARD_COMMIT has other characters than letters, digits and `-`: {commit}");
    }
    println!("cargo::rustc-env=EDGEWARD_VERSION={}+{commit}", env!("CARGO_PKG_VERSION"));
}
