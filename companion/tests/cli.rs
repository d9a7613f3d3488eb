//! The commands that need no database, run as a person runs them: the binary, its words, its exit code.

#![expect(clippy::expect_used, reason = "the panic of a test is the report of a failure")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use edgeward_wire::JwkSet;
use tempfile::TempDir;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Runs `edgeward` in a folder with these settings; gives the exit code and all that was written.
fn run(folder: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeward"));
    command.args(arguments).env_clear().envs(settings.iter().copied()).current_dir(folder);
    let output = command.output().expect("an output");
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
    (output.status.code().expect("an exit code"), told)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[test]
fn keys_are_made_once_and_kept_from_others() {
    let folder = folder();
    let keys = |arguments: &[&str]| run(folder.path(), &[], &[&["keys"], arguments].concat());
    let (code, told) = keys(&["list"]);
    assert_eq!((code, told.contains("run: edgeward keys generate")), (1, true), "{told}");

    assert_eq!(keys(&["generate"]).0, 0);
    let mode =
        |name: &str| fs::metadata(folder.path().join(name)).expect("a file").permissions().mode() & 0o777;
    assert_eq!((mode("certs/private.pem"), mode("certs/public.pem")), (0o600, 0o644));
    let left = fs::read_dir(folder.path().join("certs")).expect("a folder").count();
    assert_eq!(left, 2, "nothing unfinished is left");

    let (_, first) = keys(&["list"]);
    let (code, told) = keys(&["generate"]);
    assert_eq!((code, told.contains("--force replaces it")), (1, true), "{told}");
    assert_eq!(keys(&["list"]).1, first);
    assert_eq!(keys(&["generate", "--force", "--bits", "3072"]).0, 0);
    let (_, second) = keys(&["list"]);
    assert!(first.contains("2048 bits") && second.contains("3072 bits") && !second.contains("2048"));
    assert_eq!(keys(&["generate", "--bits", "1024"]).0, 2);
}

#[test]
fn next_and_retired_keys_are_published_beside_the_one_that_signs() {
    let folder = folder();
    let in_folder = |certs: &str, arguments: &[&str]| run(folder.path(), &[("CERTS_DIR", certs)], arguments);
    for certs in ["a", "b", "c"] {
        assert_eq!(in_folder(certs, &["keys", "generate"]).0, 0);
    }
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("a/retired")).expect("a folder");
    fs::copy(path("b/private.pem"), path("a/next.pem")).expect("a copy");
    fs::copy(path("c/public.pem"), path("a/retired/2029.pem")).expect("a copy");
    fs::write(path("a/retired/README"), "not a key").expect("a file");

    let (_, told) = in_folder("a", &["keys", "jwk"]);
    let set: JwkSet = serde_json::from_str(&told).expect("a JWK set");
    assert_eq!(set.keys.len(), 3);
    let (_, told) = in_folder("a", &["keys", "list"]);
    let states: Vec<_> = told.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(states, ["signs", "next", "retired"]);

    fs::copy(path("b/public.pem"), path("a/public.pem")).expect("a copy");
    let (code, told) = in_folder("a", &["keys", "list"]);
    assert_eq!((code, told.contains("is not the public half of private.pem")), (1, true), "{told}");
    fs::write(path("a/retired/broken.pem"), "rubbish").expect("a file");
    fs::remove_file(path("a/public.pem")).expect("a removal");
    let (code, told) = in_folder("a", &["keys", "list"]);
    assert_eq!((code, told.contains("a/retired/broken.pem: not a PEM file")), (1, true), "{told}");
}

#[test]
fn config_check_shows_everything_but_secrets() {
    let folder = folder();
    let settings = [("DATABASE_URL", "postgres://ada:hunter2@db/edgeward"), ("REFRESH_JWT_SECRET", SECRET)];
    let (code, told) = run(folder.path(), &settings, &["config", "check"]);
    assert_eq!(code, 0, "{told}");
    for line in ["PORT=5501", "DATABASE_URL=[secret]", "REFRESH_JWT_SECRET=[secret]", "APP_ENV=prod"] {
        assert!(told.lines().any(|told| told == line), "{told}");
    }
    assert!(!told.contains("hunter2") && !told.contains(SECRET));
}

#[test]
fn config_check_shows_every_mistake() {
    let folder = folder();
    let settings = [("PORT", "many"), ("EDGEWARD_TYPO", "1"), ("REFRESH_JWT_SECRET", "hunter2")];
    let (code, told) = run(folder.path(), &settings, &["config", "check"]);
    assert_eq!(code, 1);
    for name in ["PORT", "EDGEWARD_TYPO", "REFRESH_JWT_SECRET", "DATABASE_URL"] {
        assert!(told.contains(&format!("\n  {name} ")), "{told}");
    }
    assert!(!told.contains("hunter2"));
}

#[test]
fn the_settings_file_of_the_environment_is_read_below_the_environment() {
    let folder = folder();
    let file = format!(
        "PORT=6001\nINTERNAL_PORT=6002\nDATABASE_URL=postgres://a@b/c\nREFRESH_JWT_SECRET={SECRET}\n"
    );
    fs::write(folder.path().join(".env.dev"), file).expect("a file");
    let (code, told) = run(folder.path(), &[("APP_ENV", "dev"), ("PORT", "7001")], &["config", "check"]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("\nPORT=7001\n") && told.contains("\nINTERNAL_PORT=6002\n"), "{told}");
    let (code, _) = run(folder.path(), &[("APP_ENV", "prod")], &["config", "check"]);
    assert_eq!(code, 1, "another environment's file is not read");

    fs::write(folder.path().join(".env.test"), "SECRET hunter2\n").expect("a file");
    let (code, told) = run(folder.path(), &[("APP_ENV", "test")], &["config", "check"]);
    assert_eq!((code, told.contains(".env.test has a line that is not NAME=value")), (1, true), "{told}");
    assert!(!told.contains("hunter2"));
}

#[test]
fn a_database_out_of_reach_is_named_without_its_password() {
    let folder = folder();
    assert_eq!(run(folder.path(), &[], &["keys", "generate"]).0, 0);
    let settings =
        [("DATABASE_URL", "postgres://ada:hunter2@127.0.0.1:1/edgeward"), ("REFRESH_JWT_SECRET", SECRET)];
    let (code, told) = run(folder.path(), &settings, &["serve"]);
    assert_eq!(
        (code, told.contains("cannot connect to database \"edgeward\" at 127.0.0.1:1")),
        (1, true),
        "{told}"
    );
    assert!(!told.contains("hunter2"));
}
