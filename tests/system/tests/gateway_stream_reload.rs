//! Open streams while the gateway's configuration is replaced: they belong to the old plugin, and end all the same.

use std::fs;
use std::path::Path;
use std::time::Duration;

use edgeward_kit::client::Client;
use edgeward_kit::journey::{registered, stack};
use edgeward_kit::streams::{self, Kind, OpenStream, Upstream};
use edgeward_stack::envoy::{self, Envoy};
use edgeward_stack::ports::Ports;
use edgeward_stack::shell::Shell;
use edgeward_stack::{http, paths, wait};

/// Maximum time of anything, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Splits the gateway's configuration: its listener goes to a file that Envoy watches.
fn split(configuration: &str, listener_file: &Path) -> (String, String) {
    let (before, rest) = configuration.split_once("  listeners:\n    - name: gateway\n").unwrap();
    let (listener, clusters) = rest.split_once("\n  clusters:\n").unwrap();
    let lines: Vec<&str> = listener.lines().map(|line| line.get(4..).unwrap_or("")).collect();
    let listener = lines.join(
        "
",
    );
    let kind = "\"@type\": type.googleapis.com/envoy.config.listener.v3.Listener";
    let dynamic = format!(
        "node: {{ id: gateway, cluster: gateway }}\ndynamic_resources:\n  lds_config: {{ path_config_source: {{ path: {} }} }}\n",
        listener_file.display()
    );
    (
        format!("{dynamic}{before}  clusters:\n{clusters}"),
        format!("resources:\n- {kind}\n  name: gateway\n{listener}"),
    )
}

#[tokio::test]
async fn stream_of_a_replaced_configuration_ends_with_its_session() {
    let directory = paths::test_folder("stream-reload");
    fs::create_dir_all(&directory).unwrap();
    let listener_file = directory.join("listener.yaml");
    let upstream = Upstream::start();
    let Ports { gateway, envoy_admin, .. } = Ports::free().unwrap();
    let ports = Ports { gateway, envoy_admin, upstream: upstream.port(), ..*stack().ports() };
    let (from, to) = streams::SAME_PROTOCOL_UPSTREAM;
    let change = (from.to_owned(), to.to_owned());
    let configuration = envoy::configuration(Shell::chosen().unwrap(), &ports, [change]).unwrap();
    let (bootstrap, listener) = split(&configuration, &listener_file);
    fs::write(&listener_file, &listener).unwrap();
    let program = envoy::find_or_install(&mut |_| {}).unwrap();
    let _envoy = Envoy::start(&program, &bootstrap, envoy_admin, 2, &directory).unwrap();
    let is_everywhere = |path, status| Ok(http::is_status_everywhere(gateway, path, status).then_some(()));
    wait::until("the filter's first keys", PATIENCE, || is_everywhere("/readyz", 200)).unwrap();

    let (mut user, mut other) = (registered(false).await, registered(false).await);
    let open = |user: &Client| -> Vec<OpenStream> {
        let kinds = Kind::ALL.iter().cycle().take(12);
        kinds.map(|kind| OpenStream::open(*kind, gateway, "/orders/", &user.cookie()).unwrap()).collect()
    };
    let (mut streams, mut others) = (open(&user), open(&other));
    assert_eq!(upstream.open_streams(), 24);

    // Envoy follows files that are moved there.
    let new_file = directory.join("new.yaml");
    let rule = r#"{"prefix": "/public/", "access": "public"},"#;
    let more = format!(r#"{rule} {{"prefix": "/new/", "access": "public"}},"#);
    fs::write(&new_file, listener.replace(rule, &more)).unwrap();
    assert_eq!(http::status(gateway, "/new/"), Some(401));
    fs::rename(&new_file, &listener_file).unwrap();
    wait::until("the new configuration", PATIENCE, || is_everywhere("/new/", 200)).unwrap();
    assert!(streams.iter_mut().chain(&mut others).all(OpenStream::is_open));

    let mut later = open(&user);
    assert_eq!(user.logout().await.status, 200);
    for stream in streams.iter_mut().chain(&mut later) {
        stream.wait_for_end(PATIENCE);
    }
    assert!(others.iter_mut().all(OpenStream::is_open));
    // The upstream is told, so that it can end what it does for the stream.
    wait::until("the upstream", PATIENCE, || Ok((upstream.open_streams() == 12).then_some(()))).unwrap();
    assert_eq!(other.logout().await.status, 200);
    for stream in &mut others {
        stream.wait_for_end(PATIENCE);
    }
    wait::until("the upstream", PATIENCE, || Ok((upstream.open_streams() == 0).then_some(()))).unwrap();
}
