//! The commands that need no database, run as a person runs them: the binary, its words, its exit code.

#![expect(clippy::expect_used, reason = "the panic of a test is the report of a failure")]

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use edgeward_wire::{JwkSet, VERSION};
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
fn version_is_that_of_the_build() {
    assert_eq!(run(folder().path(), &[], &["--version"]), (0, format!("edgeward {VERSION}\n")));
    let (number, commit) = VERSION.split_once('+').expect("build metadata");
    assert_eq!((number, commit.is_empty()), (env!("CARGO_PKG_VERSION"), false));
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
    for bits in ["1024", "4096", "8192"] {
        assert_eq!(keys(&["generate", "--bits", bits]).0, 2, "{bits}");
    }
    assert!(!second.contains("can be read by others"));
    let private = folder.path().join("certs/private.pem");
    fs::set_permissions(&private, fs::Permissions::from_mode(0o640)).expect("a mode");
    assert!(keys(&["list"]).1.contains("certs/private.pem can be read by others"));
    fs::remove_dir_all(folder.path().join("certs")).expect("a removal");
    fs::write(folder.path().join("certs"), "").expect("a file");
    let (code, told) = keys(&["list"]);
    assert_eq!((code, told.contains("certs/private.pem: Not a directory")), (1, true), "{told}");
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
    fs::copy(path("c/public.pem"), path("a/retired/2029.PEM")).expect("a copy");
    fs::write(path("a/retired/README"), "not a key").expect("a file");

    let (_, told) = in_folder("a", &["keys", "jwk"]);
    let set: JwkSet = serde_json::from_str(&told).expect("a JWK set");
    assert_eq!(set.keys.len(), 3);
    let (_, told) = in_folder("a", &["keys", "list"]);
    let states: Vec<_> = told.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(states, ["signing", "announced", "retired"]);

    fs::copy(path("b/public.pem"), path("a/public.pem")).expect("a copy");
    let (code, told) = in_folder("a", &["keys", "list"]);
    assert_eq!((code, told.contains("is not the public half of private.pem")), (1, true), "{told}");
    fs::write(path("a/retired/broken.pem"), "rubbish").expect("a file");
    fs::remove_file(path("a/public.pem")).expect("a removal");
    for number in 0..30 {
        fs::copy(path("c/public.pem"), path(&format!("a/retired/{number}.pem"))).expect("a copy");
    }
    let (code, told) = in_folder("a", &["keys", "list"]);
    assert_eq!((code, told.contains("a/retired/broken.pem: not a PEM file")), (1, true), "{told}");
    fs::remove_file(path("a/retired/broken.pem")).expect("a removal");
    let (code, told) = in_folder("a", &["keys", "list"]);
    assert_eq!((code, told.contains("a holds more than 32 keys")), (1, true), "{told}");
    fs::remove_file(path("a/retired/0.pem")).expect("a removal");
    assert_eq!(in_folder("a", &["keys", "list"]).0, 0);
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
fn the_printed_defaults_are_a_settings_file_that_changes_nothing() {
    let folder = folder();
    let print = ["config", "check", "--print-defaults"];
    let (code, defaults) = run(folder.path(), &[("PORT", "many"), ("FEED_SECRET", "hunter2")], &print);
    assert_eq!(code, 0, "{defaults}");
    for line in [
        "PORT=5501",
        "REFRESH_JWT_SECRET= # required; secret",
        "DB_HOST= # required without DATABASE_URL",
        "FEED_SECRET= # none; secret",
        "LOG_FORMAT=json # in dev text",
    ] {
        assert!(defaults.lines().any(|told| told == line), "{line}: {defaults}");
    }
    let settings = [("DATABASE_URL", "postgres://ada@db/edgeward"), ("REFRESH_JWT_SECRET", SECRET)];
    let without_file = run(folder.path(), &settings, &["config", "check"]);
    fs::write(folder.path().join(".env.prod"), defaults).expect("a file");
    // The port of the file would be shown beside the URL.
    let settings = [&settings[..], &[("DB_PORT", "")]].concat();
    assert_eq!(run(folder.path(), &settings, &["config", "check"]), without_file);
}

#[test]
fn config_check_shows_every_mistake() {
    let folder = folder();
    let settings = [("PORT", "many"), ("EDGEWARD_DB_HSOT", "1"), ("REFRESH_JWT_SECRET", "hunter2")];
    let (code, told) = run(folder.path(), &settings, &["config", "check"]);
    assert_eq!(code, 1);
    for name in ["PORT", "EDGEWARD_DB_HSOT", "REFRESH_JWT_SECRET", "DATABASE_URL"] {
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
    let (code, told) = run(folder.path(), &[("APP_ENV", "test"), ("PORT", "many")], &["config", "check"]);
    assert_eq!((code, told.contains("\n  .env.test line 1 is not NAME=value\n")), (1, true), "{told}");
    assert!(told.contains("\n  PORT is not") && told.contains("\n  REFRESH_JWT_SECRET is not set"), "{told}");
    assert!(!told.contains("hunter2"));
}

#[test]
fn the_example_is_a_settings_file_that_any_environment_overrides() {
    let folder = folder();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../.env.example");
    fs::copy(example, folder.path().join(".env.dev")).expect("a copy");
    let check = |settings: &[(&str, &str)], expected: &str| {
        let settings = [&[("APP_ENV", "dev")], settings].concat();
        let (code, told) = run(folder.path(), &settings, &["config", "check"]);
        assert_eq!((code, told.contains(expected)), (0, true), "{told}");
    };
    let url = ("DATABASE_URL", "postgres://ada:pw@db.example:5433/edgeward");
    check(&[("REFRESH_JWT_SECRET", SECRET), url], "DATABASE_URL=[secret]");
    check(&[("REFRESH_JWT_SECRET", SECRET)], "DB_HOST=127.0.0.1");

    let secret = folder.path().join("secret");
    fs::write(&secret, SECRET).expect("a file");
    let file =
        format!("DATABASE_URL=postgres://ada@db/other\nREFRESH_JWT_SECRET_FILE={}\n", secret.display());
    fs::write(folder.path().join(".env.dev"), file).expect("a file");
    let parts = [("DB_HOST", "localhost"), ("DB_USERNAME", "ada"), ("DB_NAME", "edgeward")];
    check(&[&[("REFRESH_JWT_SECRET", SECRET)], &parts[..]].concat(), "DB_HOST=localhost");
    check(&[], "DATABASE_URL=[secret]");
}

#[test]
fn a_settings_file_that_cannot_be_used_is_named() {
    let folder = folder();
    let path = folder.path().join(".env.prod");
    let check = |expected: &str| {
        let (code, told) = run(folder.path(), &[], &["config", "check"]);
        assert_eq!((code, told.contains(expected)), (1, true), "{told}");
    };
    fs::write(&path, "APP_ENV=dev\n").expect("a file");
    check("\n  .env.prod sets another APP_ENV than the one it is for; set that in the environment\n");
    fs::write(&path, "PORT=1\n".repeat(10_000)).expect("a file");
    check("\n  .env.prod cannot be read: file too large\n");
    fs::write(&path, b"PORT=\xff\n").expect("a file");
    check("\n  .env.prod cannot be read: line 1 is not UTF-8; save it as UTF-8\n");
    fs::remove_file(&path).expect("a removal");
    fs::create_dir(&path).expect("a folder");
    check("\n  .env.prod cannot be read: is a directory\n");
}

#[test]
fn a_setting_that_is_no_text_is_a_mistake_and_not_left_out() {
    let folder = folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeward"));
    command.args(["config", "check"]).env_clear().current_dir(folder.path());
    for name in ["PORT", "REFRESH_JWT_SECRET", "APP_ENV", "SOMEBODY_ELSES"] {
        command.env(name, OsStr::from_bytes(b"\xff"));
    }
    let told = String::from_utf8(command.output().expect("an output").stderr).expect("UTF-8");
    for name in ["PORT", "REFRESH_JWT_SECRET", "APP_ENV"] {
        assert!(told.contains(&format!("\n  {name} is not UTF-8")), "{told}");
    }
    assert!(!told.contains("SOMEBODY_ELSES"), "{told}");
}

#[test]
fn a_database_out_of_reach_is_named_without_its_password() {
    let folder = folder();
    assert_eq!(run(folder.path(), &[], &["keys", "generate"]).0, 0);
    let settings =
        [("DATABASE_URL", "postgres://ada:hunter2@127.0.0.1:1/edgeward"), ("REFRESH_JWT_SECRET", SECRET)];
    let settings = [&settings[..], &[("DB_WAIT_SECONDS", "0")]].concat();
    let (code, told) = run(folder.path(), &settings, &["serve"]);
    assert_eq!(
        (code, told.contains("cannot connect to database \"edgeward\" at 127.0.0.1:1")),
        (1, true),
        "{told}"
    );
    assert!(!told.contains("hunter2"));
}

#[test]
fn variables_of_the_platform_are_left_alone() {
    let folder = folder();
    let settings = [
        ("DATABASE_URL", "postgres://ada:hunter2@db/edgeward"),
        ("REFRESH_JWT_SECRET", SECRET),
        ("EDGEWARD_SERVICE_HOST", "10.96.0.12"),
        ("EDGEWARD_PORT", "tcp://10.96.0.12:5501"),
        ("EDGEWARD_COMPANION_SERVICE_PORT_HTTP", "5501"),
        ("EDGEWARD_COMPANION_PORT_5501_TCP_ADDR", "10.96.0.12"),
        ("DB_PORT", "tcp://10.0.0.1:5432"),
        ("INTERNAL_PORT", "tcp://10.0.0.2:5502"),
    ];
    let (code, told) = run(folder.path(), &settings, &["config", "check"]);
    assert_eq!((code, told.contains("\nINTERNAL_PORT=5502\n")), (0, true), "{told}");
    let mistyped = [&settings[..], &[("EDGEWARD_DATABASE_URL", "x")]].concat();
    let (code, told) = run(folder.path(), &mistyped, &["config", "check"]);
    let expected = "\n  EDGEWARD_DATABASE_URL is not a setting; did you mean DATABASE_URL?\n";
    assert_eq!((code, told.contains(expected)), (1, true), "{told}");
}

#[test]
fn settings_file_is_taken_as_other_tools_write_it() {
    let folder = folder();
    let secret = folder.path().join("secret");
    fs::write(&secret, format!("\u{feff}{SECRET}\r\n")).expect("a file");
    let file = format!(
        "\u{feff}# a comment\r\nexport PORT = 6001 # public\r\nINTERNAL_PORT: 6002\r\n\r\n\
         DATABASE_URL=\"host=/tmp dbname='my db' user=ada\"\r\nREFRESH_JWT_SECRET_FILE='{}'\r\nOTHER=1\r\n",
        secret.display()
    );
    let path = folder.path().join(".env.prod");
    fs::write(&path, file).expect("a file");
    let (code, told) = run(folder.path(), &[], &["config", "check"]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("\nPORT=6001\n") && told.contains("\nINTERNAL_PORT=6002\n"), "{told}");

    let check = |file: &[u8], expected: &str| {
        fs::write(&path, file).expect("a file");
        let (code, told) = run(folder.path(), &[], &["config", "check"]);
        assert_eq!((code, told.contains(expected)), (1, true), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    };
    check(
        b"PORT=1\n\nDB_PASS=hunter2\n",
        "\n  .env.prod line 3: DB_PASS is not a setting; did you mean DB_PASSWORD?\n",
    );
    check(b"PORT=1\nDB_PASSWORD=hunter2$x\n", "\n  .env.prod line 2 has a $ that names nothing that is set");
    check(b"PORT=1\nDB_PASSWORD='hunter2\n", "\n  .env.prod line 2 opens a quote that is never closed\n");
    check(b"PORT=1\nDB_NAME=\xe9\n", "\n  .env.prod cannot be read: line 2 is not UTF-8; save it as UTF-8\n");
    check(b"\xff\xfeP\0O\0", "\n  .env.prod cannot be read: it is UTF-16; save it as UTF-8\n");
}

#[test]
fn health_needs_no_setting_and_says_what_it_found() {
    let folder = folder();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).expect("a request");
            let status = if line.starts_with("GET /readyz ") { "200 OK" } else { "503 Service Unavailable" };
            let response = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            (&stream).write_all(response.as_bytes()).expect("a response");
        }
    });
    let check = |settings: &[(&str, &str)], arguments: &[&str], expected: (i32, &str)| {
        let (code, told) = run(folder.path(), settings, &[&["health"], arguments].concat());
        assert_eq!((code, told.contains(expected.1)), (expected.0, true), "{told}");
    };
    check(&[("INTERNAL_PORT", &port)], &[], (0, ""));
    check(&[("BIND_ADDRESS", "0.0.0.0"), ("PORT", "many")], &["--port", &port], (0, ""));
    check(&[], &["--port", &port, "--path", "/healthz"], (1, "/healthz: 503 Service Unavailable\n"));
    check(&[("INTERNAL_PORT", "0")], &[], (1, "pass the chosen one with --port"));
    check(&[], &["--port", "1"], (1, "edgeward: http://127.0.0.1:1/readyz: Connection refused"));
}
