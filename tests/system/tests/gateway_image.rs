//! Entry point of the gateway's image (`docker/gateway`) with the real Envoy: its settings, its messages for invalid ones,
//! and its stop.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use edgeward_kit::journey::{raw_response, registered, stack};
use edgeward_stack::ports::Ports;
use edgeward_stack::process::Process;
use edgeward_stack::shell::Shell;
use edgeward_stack::{envoy, http, paths, variable, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const LIMIT: Duration = Duration::from_secs(20);

/// Returns the entry point with this program as Envoy in `PATH`, this configuration, and the example of a production filter.
fn entry_point(program: &Path, directory: &Path, configuration: &str) -> Command {
    let programs = directory.join("bin");
    fs::create_dir_all(&programs).unwrap();
    let envoy = programs.join("envoy");
    // That of an earlier run may be another version.
    fs::remove_file(&envoy).ok();
    symlink(program, envoy).unwrap();
    let file = directory.join("envoy.yaml");
    fs::write(&file, configuration).unwrap();
    let mut command = Command::new(paths::root().join("docker/gateway"));
    command.args(["--disable-hot-restart", "--concurrency", "1"]);
    command.env("PATH", format!("{}:{}", programs.display(), variable("PATH").unwrap()));
    command.env("TMPDIR", directory).env("ENVOY_CONFIG", file).env("DRAIN_DELAY_SECONDS", "0");
    command.env("FILTER_CONFIG", example()).env("FEED_SECRET", "0123456789abcdef0123456789abcdef,older");
    command
}

fn example() -> PathBuf {
    paths::root().join("envoy/filter.example.json")
}

fn folder(name: &str) -> PathBuf {
    let directory = paths::test_folder(name);
    fs::create_dir_all(&directory).unwrap();
    directory
}

#[tokio::test]
async fn upload_in_progress_completes_when_the_gateway_is_stopped() {
    let Ports { gateway, envoy_admin, .. } = Ports::free().unwrap();
    let ports = Ports { gateway, envoy_admin, ..*stack().ports() };
    let configuration = envoy::configuration(Shell::chosen().unwrap(), &ports, []).unwrap();
    let directory = folder("drain");
    let envoy = envoy::find_or_install(&mut |_| {}).unwrap();
    let mut command = entry_point(&envoy, &directory, &configuration);
    // Not an octal number.
    command.env("DRAIN_LIMIT_SECONDS", "08");
    let mut process = Process::spawn("The gateway", &mut command, &directory.join("log")).unwrap();
    let cookie = registered(false).await.cookie();
    wait::until("the first keys", LIMIT, || {
        process.check_alive()?;
        Ok(http::is_status_everywhere(gateway, "/orders", 401).then_some(()))
    })
    .unwrap();
    // The rules are those of the example, not development's.
    assert_eq!(http::status(gateway, "/public/x"), Some(401));

    let mut upload = TcpStream::connect(("127.0.0.1", gateway)).unwrap();
    write!(
        upload,
        "POST /orders HTTP/1.1\r\nhost: shop.example\r\ncookie: {cookie}\r\ncontent-length: 2\r\n\r\nx"
    )
    .unwrap();
    let under_way = || {
        let stats = "GET /stats?filter=http.gateway.downstream_rq_active HTTP/1.1\r\nhost: localhost\r\n";
        let response = raw_response(envoy_admin, format!("{stats}connection: close\r\n\r\n"));
        Ok(response.contains("downstream_rq_active: 1").then_some(()))
    };
    wait::until("the upload", LIMIT, under_way).unwrap();
    kill(Pid::from_raw(i32::try_from(process.pid()).unwrap()), Signal::SIGTERM).unwrap();
    let closed = || Ok(TcpStream::connect(("127.0.0.1", gateway)).is_err().then_some(()));
    wait::until("the closed port", LIMIT, closed).unwrap();
    upload.write_all(b"x").unwrap();
    let mut response = String::new();
    upload.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    let ended = || Ok(process.check_alive().err());
    let end = wait::until("the end", LIMIT, ended).unwrap().to_string();
    assert!(end.contains("exit status: 0"), "{end}");
}

#[test]
fn invalid_settings_of_the_image_are_reported_at_once() {
    let directory = folder("mistakes");
    let configuration = Shell::chosen().unwrap().configuration().unwrap();
    let (missing, empty) = (directory.join("missing.json"), directory.join("empty.json"));
    fs::write(&empty, "\n").unwrap();
    let without_secret = directory.join("plain.json");
    fs::write(&without_secret, r#"{"issuer": "edgeward"}"#).unwrap();
    let without_filter = directory.join("without-filter.yaml");
    fs::write(&without_filter, configuration.replace(" value: |", " value: >")).unwrap();
    let envoy = envoy::find_or_install(&mut |_| {}).unwrap();
    for (name, value, message) in [
        ("FILTER_CONFIG", missing.to_str().unwrap(), "FILTER_CONFIG: cannot read"),
        ("FILTER_CONFIG", empty.to_str().unwrap(), "is empty"),
        ("FILTER_CONFIG", without_secret.to_str().unwrap(), "has no \"secret\": \"${FEED_SECRET}\""),
        ("FEED_SECRET", "", "set FEED_SECRET or FEED_SECRET_FILE"),
        ("FEED_SECRET", "with\"quote", "FEED_SECRET must consist of letters"),
        ("FEED_SECRET_FILE", "/nowhere", "FEED_SECRET_FILE: cannot read /nowhere"),
        ("UPSTREAM", "shop", "UPSTREAM must be host:port, not shop"),
        ("UPSTREAM", "shop:80, port_value: 1", "UPSTREAM must be host:port"),
        ("COMPANION", "a b", "COMPANION must be a host"),
        ("XFF_NUM_TRUSTED_HOPS", "-1", "XFF_NUM_TRUSTED_HOPS must be 0 to 9"),
        ("ADMIN_ADDRESS", "everywhere", "ADMIN_ADDRESS must be 127.0.0.1 or 0.0.0.0"),
        ("ADMIN_ADDRESS", "10.0.0.1", "ADMIN_ADDRESS must be 127.0.0.1 or 0.0.0.0"),
        ("DRAIN_LIMIT_SECONDS", "1m", "must be whole seconds"),
        ("ENVOY_CONFIG", "/nowhere", "cannot read /nowhere"),
        ("ENVOY_CONFIG", without_filter.to_str().unwrap(), "has no line that ends with ` value: |`"),
        ("FILTER_CONFIG", "", "FEED_SECRET or FEED_SECRET_FILE is set without FILTER_CONFIG"),
    ] {
        let output = entry_point(&envoy, &directory, &configuration).env(name, value).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}={value}: {stderr}");
        assert!(stderr.contains("gateway: ") && stderr.contains(message), "{name}={value}: {stderr}");
        assert!(!stderr.contains("quote"), "no secret is echoed: {stderr}");
    }
}

#[test]
fn settings_of_the_image_are_rendered_where_they_belong() {
    let directory = folder("rendered");
    let filter = directory.join("filter.json");
    fs::write(&filter, format!("\n    {}", fs::read_to_string(example()).unwrap())).unwrap();
    // In place of Envoy, a program that only succeeds.
    let envoy = Path::new("/bin/true");
    let status = entry_point(envoy, &directory, &Shell::chosen().unwrap().configuration().unwrap())
        .env("FILTER_CONFIG", filter)
        .envs([("UPSTREAM", "shop.internal:3000"), ("COMPANION", "auth"), ("XFF_NUM_TRUSTED_HOPS", "2")])
        .status()
        .unwrap();
    assert!(status.success());
    let rendered = fs::read_to_string(directory.join("edgeward-envoy.yaml")).unwrap();
    for line in [
        "address: shop.internal, port_value: 3000",
        "address: auth, port_value: 5501",
        "address: auth, port_value: 5502",
        "xff_num_trusted_hops: 2",
        r#""secret": "0123456789abcdef0123456789abcdef"}"#,
        "https://app.example.com",
        "name: envoy.filters.http.router",
    ] {
        assert!(rendered.contains(line), "{line}");
    }
    let (_, block) = rendered.split_once(" value: |\n").unwrap();
    assert_eq!(block.find("\"issuer\""), block.find('{').map(|indent| 2 * indent + 4), "YAML: {block}");
    for gone in ["localhost:5173", "/public/", "\"/admin/", "older", "${"] {
        assert!(!rendered.contains(gone), "{gone}");
    }
}

#[test]
fn paths_of_the_pages_are_public_in_the_example_too() {
    let configuration = Shell::chosen().unwrap().configuration().unwrap();
    let example = fs::read_to_string(example()).unwrap();
    let rules = configuration.lines().map(|line| line.trim().trim_end_matches(','));
    let starts = [r#"{"path": "/login"#, r#"{"prefix": "/auth/"#];
    let pages: Vec<_> = rules.filter(|line| starts.iter().any(|start| line.starts_with(start))).collect();
    assert_eq!(pages.len(), 3);
    for rule in pages {
        assert!(example.contains(rule), "{rule}");
    }
}
