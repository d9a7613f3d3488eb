//! Examples of services (`examples/`) behind the gateway of `examples/minimal/`, and nginx in front of a gateway.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use edgeward_kit::client::Client;
use edgeward_kit::feed_cache;
use edgeward_kit::journey::{client_at, registered, runs_with, stack};
use edgeward_kit::skipped::say_skipped;
use edgeward_stack::envoy::{self, Envoy};
use edgeward_stack::process::{self, Process};
use edgeward_stack::shell::Shell;
use edgeward_stack::{cargo, http, paths, ports, wait};
use reqwest::Method;
use serde_json::{Value, json};

/// Maximum time until a program listens.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Example of a service: its name, and the command that runs it.
type Service = (&'static str, Vec<PathBuf>);

/// Returns the examples whose tools are on this machine. They are built once.
fn services() -> &'static [Service] {
    static SERVICES: OnceLock<Vec<Service>> = OnceLock::new();
    SERVICES.get_or_init(|| {
        let examples = paths::root().join("examples");
        cargo::build(&[cargo::PROGRAMS, &["--bin=axum-upstream"]].concat()).unwrap();
        let mut services = vec![
            ("axum", vec![paths::program("axum-upstream")]),
            ("python", vec!["python3".into(), examples.join("python-upstream/server.py")]),
        ];
        if is_there("node", "--version") && is_there("npm", "--version") {
            let (mut npm, folder) = (Command::new("npm"), examples.join("express-upstream"));
            npm.current_dir(&folder).args(["ci", "--no-audit", "--no-fund", "--prefer-offline"]);
            process::output(&mut npm).unwrap();
            services.push(("express", vec!["node".into(), folder.join("server.mjs")]));
        }
        if is_there("go", "version") {
            let (mut go, program) = (Command::new("go"), folder("go").join("upstream"));
            go.current_dir(examples.join("go-upstream")).args(["build", "-o"]).arg(&program);
            process::output(&mut go).unwrap();
            services.push(("go", vec![program]));
        }
        services
    })
}

fn command(line: &[PathBuf]) -> Command {
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]);
    command
}

/// `true` if there is the program. Otherwise prints that its example is skipped.
fn is_there(program: &str, version: &str) -> bool {
    let found = Command::new(program).arg(version).output().is_ok();
    if !found {
        say_skipped(&format!("an example: there is no {program}"));
    }
    found
}

/// Returns a folder for the files of a program.
fn folder(name: &str) -> PathBuf {
    let folder = paths::test_folder(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Starts a program, and waits until it listens.
fn start(name: &str, command: &mut Command, port: u16) -> Process {
    let mut process = Process::spawn(name, command, &folder(name).join("log")).unwrap();
    wait::until(name, START_LIMIT, || {
        process.check_alive()?;
        Ok(ports::is_open(port).then_some(()))
    })
    .unwrap();
    process
}

/// Starts the minimal gateway before a service, and waits until it has keys.
fn minimal_gateway(name: &str, service: u16) -> (Envoy, u16) {
    let [gateway, admin] = ports::free().unwrap();
    let example = fs::read_to_string(paths::root().join("examples/minimal/envoy.yaml")).unwrap();
    let address = |port: u16| format!("address: 127.0.0.1, port_value: {port}");
    let running = stack().ports();
    let local = [(8000, gateway), (3000, service), (5501, running.companion), (5502, running.internal)];
    let mut changes: Vec<_> = local.iter().map(|(from, to)| (address(*from), address(*to))).collect();
    changes.push(("target/edgeward.wasm".to_owned(), Shell::Wasm.file().display().to_string()));
    let admin_address = format!("admin: {{ address: {{ socket_address: {{ {} }} }} }}\n", address(admin));
    let configuration = admin_address + &envoy::render(&example, &changes).unwrap();
    let program = envoy::find_or_install(&mut |_| {}).unwrap();
    let envoy =
        Envoy::start(&program, &configuration, admin, 1, &folder(&format!("{name}-gateway"))).unwrap();
    wait::until("the first keys", START_LIMIT, || {
        Ok(http::is_status_everywhere(gateway, "/orders", 401).then_some(()))
    })
    .unwrap();
    (envoy, gateway)
}

async fn get(client: &mut Client, path: &str) -> (u16, Value) {
    let forged = [("x-user-id", "1"), ("x-user-role", "admin"), ("x-session-id", "1")];
    let response = client.call(Method::GET, path, &forged).await;
    (response.status, response.body)
}

#[tokio::test]
async fn each_example_of_a_service_reads_the_caller_from_the_gateway() {
    if !runs_with(Shell::Wasm) {
        return;
    }
    let user = registered(false).await;
    let claims = user.claims();
    let caller = json!({"user": claims.sub, "role": claims.role, "session": claims.sid.to_string()});
    for (name, line) in services() {
        let [port] = ports::free().unwrap();
        let _service = start(name, command(line).env("PORT", port.to_string()), port);
        let (_envoy, gateway) = minimal_gateway(name, port);
        let (mut nobody, mut signed_in) = (client_at(gateway, false), client_at(gateway, false));
        signed_in.cookies.clone_from(&user.cookies);
        assert_eq!(get(&mut signed_in, "/orders").await, (200, caller.clone()), "{name}");
        assert_eq!(get(&mut signed_in, "/public/x").await, (200, caller.clone()), "{name}");
        assert_eq!(get(&mut nobody, "/public/x").await, (200, Value::Null), "{name}");
        assert_eq!(get(&mut nobody, "/orders").await.0, 401, "{name}");
        // The service itself rejects a request without an identity.
        assert_eq!(http::status(port, "/orders"), Some(401), "{name}");
    }
}

#[test]
fn no_example_of_a_service_starts_where_others_reach_it() {
    for (name, line) in services() {
        let output = command(line).env("HOST", "0.0.0.0").env_remove("BEHIND_GATEWAY").output().unwrap();
        assert!(!output.status.success(), "{name}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("BEHIND_GATEWAY=yes"), "{name}: {said}");
    }
}

#[tokio::test]
async fn nginx_of_the_examples_passes_requests_to_the_gateway() {
    if !feed_cache::is_available() {
        return;
    }
    let [port] = ports::free().unwrap();
    let example = fs::read_to_string(paths::root().join("examples/nginx/nginx.conf")).unwrap();
    let mut changes = Vec::new();
    for (from, to) in [(8080, stack().ports().gateway), (8088, port)] {
        changes.push((format!("127.0.0.1:{from};"), format!("127.0.0.1:{to};")));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nginx.conf");
    fs::write(&file, envoy::render(&example, &changes).unwrap()).unwrap();
    let mut nginx = Command::new("nginx");
    nginx.arg("-p").arg(folder.path()).arg("-c").arg(&file).args(["-g", "daemon off;"]);
    let _nginx = start("nginx", &mut nginx, port);
    let user = registered(false).await;
    let mut behind = client_at(port, false);
    behind.cookies.clone_from(&user.cookies);
    assert_eq!(behind.get("/orders").await.status, 200);
    assert_eq!(client_at(port, false).get("/orders").await.status, 401);
}
