//! Failovers of a real Patroni cluster under load. The companion goes on without a restart, by `HAProxy` and by the list of
//! nodes. Nobody is logged out, and in synchronous mode nothing that was acknowledged is lost.
//!
//! The tests need etcd, `HAProxy` and root (`tests/kit/src/patroni.rs`). Without them they print that and pass.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use edgeward_kit::api::mint;
use edgeward_kit::client::{Client, PASSWORD, Response, registration};
use edgeward_kit::command::run;
use edgeward_kit::database::Database;
use edgeward_kit::patroni::Cluster;
use edgeward_kit::service::Service;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::{sleep, timeout};

/// Number of users of each companion.
const PEOPLE: usize = 6;
/// Pause of a user between two rounds of requests.
const PAUSE: Duration = Duration::from_millis(100);
/// Maximum time until a request is acknowledged: the loss of a node takes 20 s.
const LIMIT: Duration = Duration::from_mins(2);
/// Limits on guessing are not what is tested.
const SETTINGS: [(&str, &str); 3] =
    [("LIMIT_ADDRESS", "10000/1m"), ("LIMIT_ACCOUNT", "10000/1m"), ("LIMIT_REGISTRATION", "1000/1m")];

/// Acknowledged writes: when the last one was, and the longest time without one.
struct Progress {
    last: Instant,
    longest: Duration,
}

impl Progress {
    fn start() -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self { last: Instant::now(), longest: Duration::ZERO }))
    }

    fn note(progress: &Mutex<Self>) {
        let mut progress = progress.lock().expect("a lock");
        progress.longest = progress.longest.max(progress.last.elapsed());
        progress.last = Instant::now();
    }

    /// Returns the longest gap so far, and begins anew.
    fn take(progress: &Mutex<Self>) -> Duration {
        std::mem::take(&mut progress.lock().expect("a lock").longest)
    }
}

/// User with two tabs, who repeats a request until it is acknowledged.
struct Person {
    client: Client,
    email: String,
    progress: Arc<Mutex<Progress>>,
    /// Clients whose logout was acknowledged.
    ended: Vec<Client>,
}

impl Person {
    async fn live(mut self, stop: Arc<AtomicBool>, logs_out: bool) -> Self {
        for round in 1_u32.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let mut tab = self.client.clone();
            let (one, two) = tokio::join!(
                send(&mut self.client, "refresh", None, &self.progress),
                send(&mut tab, "refresh", None, &self.progress)
            );
            for response in [one, two] {
                assert_eq!(response.status, 200, "{} was logged out: {response}", self.email);
            }
            if logs_out && round.is_multiple_of(10) {
                self.ended.push(self.client.clone());
                assert_eq!(send(&mut self.client, "logout", None, &self.progress).await.status, 200);
                self.log_in().await;
            }
            sleep(PAUSE).await;
        }
        self
    }

    async fn log_in(&mut self) {
        let credentials = json!({"email": self.email, "password": PASSWORD});
        let response = send(&mut self.client, "login", Some(&credentials), &self.progress).await;
        assert_eq!(response.status, 200, "{} was lost: {response}", self.email);
    }
}

async fn send(client: &mut Client, call: &str, body: Option<&Value>, progress: &Mutex<Progress>) -> Response {
    let started = Instant::now();
    loop {
        let mut request = client.request(Method::POST, &format!("/api/auth/{call}")).timeout(LIMIT);
        if let Some(body) = body {
            request = request.json(body);
        }
        match client.try_send(request).await {
            Ok(response) if response.status < 500 => {
                Progress::note(progress);
                return response;
            }
            _ => assert!(started.elapsed() < LIMIT, "{call} is not acknowledged"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Companion with its users.
struct Scene {
    name: &'static str,
    service: Service,
    progress: Arc<Mutex<Progress>>,
    people: Vec<JoinHandle<Person>>,
    stop: Arc<AtomicBool>,
    _keys: tempfile::TempDir,
}

impl Scene {
    async fn start(name: &'static str, url: String, logs_out: bool) -> Self {
        let keys = tempfile::tempdir().expect("a folder");
        fs::write(keys.path().join("private.pem"), mint().private_pem()).expect("a key");
        let service = block_in_place(|| Service::start_with(&Database { url }, keys.path(), &SETTINGS));
        let (progress, stop) = (Progress::start(), Arc::new(AtomicBool::new(false)));
        let mut people = Vec::new();
        for number in 0..PEOPLE {
            let client = Client::new(service.public.clone(), reqwest::Client::new());
            let email = format!("{name}{number}@example.com");
            let mut person = Person { client, email, progress: Arc::clone(&progress), ended: Vec::new() };
            let body = registration(&person.email);
            let registered = send(&mut person.client, "register", Some(&body), &progress).await;
            assert_eq!(registered.status, 201, "{registered}");
            people.push(tokio::spawn(person.live(Arc::clone(&stop), logs_out)));
        }
        Self { name, service, progress, people, stop, _keys: keys }
    }

    /// Ends the load. Everybody must still be signed in, and those who logged out must not be.
    async fn finish(self, logouts_last: bool) {
        self.stop.store(true, Ordering::Relaxed);
        let mut logouts = 0;
        for person in self.people {
            let mut person = person.await.expect("no wrong response");
            assert_eq!(person.client.refresh().await.status, 200, "{} was logged out", person.email);
            for client in &mut person.ended {
                logouts += 1;
                let status = client.refresh().await.status;
                assert!(status == 401 || !logouts_last, "a logout of {} was lost", person.email);
            }
        }
        println!("{}: {logouts} logouts, nobody was logged out; {}", self.name, self.service.pid());
    }
}

/// Writer without a companion: it shows what the cluster itself needs, and which acknowledged rows are lost.
struct Writer {
    progress: Arc<Mutex<Progress>>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<Vec<i64>>,
}

impl Writer {
    async fn start(url: String) -> Self {
        let mut connection = PgConnection::connect(&url).await.expect("a connection");
        sqlx::query("create table written (number bigint)").execute(&mut connection).await.expect("a table");
        let (progress, stop) = (Progress::start(), Arc::new(AtomicBool::new(false)));
        let (noted, stopped) = (Arc::clone(&progress), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            let mut connection = Some(connection);
            for number in 0_i64.. {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                if connection.is_none() {
                    let connecting = timeout(Duration::from_secs(2), PgConnection::connect(&url)).await;
                    connection = connecting.ok().and_then(Result::ok);
                }
                if let Some(open) = &mut connection {
                    let insert = sqlx::query("insert into written values ($1)").bind(number).execute(open);
                    if let Ok(Ok(_)) = timeout(Duration::from_secs(30), insert).await {
                        acknowledged.push(number);
                        Progress::note(&noted);
                    } else {
                        connection = None;
                    }
                }
                sleep(Duration::from_millis(50)).await;
            }
            acknowledged
        });
        Self { progress, stop, task }
    }

    /// Ends the writer, and counts the acknowledged rows that are lost.
    async fn finish(self, url: &str) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let acknowledged = self.task.await.expect("the rows");
        let mut connection = PgConnection::connect(url).await.expect("a connection");
        let kept: Vec<i64> = sqlx::query_scalar("select number from written")
            .fetch_all(&mut connection)
            .await
            .expect("the rows");
        acknowledged.iter().filter(|number| !kept.contains(number)).count()
    }
}

/// Starts the cluster with our schema, and a writer.
async fn prepare(is_synchronous: bool) -> Option<(Cluster, Writer)> {
    let cluster = block_in_place(|| Cluster::start(is_synchronous))?;
    let url = cluster.url_of_nodes("edgeward");
    for command in [&["db", "create"][..], &["migrate", "run"]] {
        let output = block_in_place(|| run(&url, command, ""));
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let writer = Writer::start(cluster.url("edgeward")).await;
    Some((cluster, writer))
}

/// Waits until everybody has made progress for a while, and prints the longest gaps since the last time.
async fn settle(event: &str, scenes: &[Scene], writer: &Writer) {
    let start = Instant::now();
    let progresses = || scenes.iter().map(|scene| &scene.progress).chain([&writer.progress]);
    for progress in progresses() {
        while progress.lock().expect("a lock").last < start {
            assert!(start.elapsed() < LIMIT, "no progress after: {event}");
            sleep(Duration::from_millis(20)).await;
        }
    }
    sleep(Duration::from_secs(3)).await;
    let gaps: Vec<f64> = progresses().map(|progress| Progress::take(progress).as_secs_f64()).collect();
    let names: Vec<String> = scenes
        .iter()
        .map(|scene| scene.name)
        .chain(["writer"])
        .zip(gaps)
        .map(|(name, gap)| format!("{name} {gap:.1} s"))
        .collect();
    println!("longest time without an acknowledged write, {event}: {}", names.join(", "));
}

/// Fails if a companion is connected to a standby.
async fn assert_no_standby_is_used(cluster: &Cluster) {
    for port in cluster.ports() {
        let url = format!("postgres://postgres:super@127.0.0.1:{port}/edgeward");
        let mut connection = PgConnection::connect(&url).await.expect("a node");
        let count = "select count(*) from pg_stat_activity
                     where application_name = 'edgeward' and pg_is_in_recovery()";
        let count: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await.expect("a count");
        assert_eq!(count, 0, "connections to a standby");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes minutes: three failovers of a Patroni cluster"]
async fn failovers_in_synchronous_mode_lose_nothing() {
    let Some((mut cluster, writer)) = prepare(true).await else { return };
    let scenes = [
        Scene::start("proxy", cluster.url("edgeward"), true).await,
        Scene::start("nodes", cluster.url_of_nodes("edgeward"), true).await,
    ];
    settle("no event", &scenes, &writer).await;
    block_in_place(|| cluster.switch_over());
    settle("switchover", &scenes, &writer).await;
    block_in_place(|| cluster.wait_until_complete());
    block_in_place(|| cluster.kill_primary());
    settle("kill -9 of the primary", &scenes, &writer).await;
    block_in_place(|| cluster.wait_until_complete());
    let lost = block_in_place(|| cluster.lose_node());
    settle("loss of a node", &scenes, &writer).await;
    block_in_place(|| cluster.start_node(lost));
    block_in_place(|| cluster.wait_until_complete());
    assert_no_standby_is_used(&cluster).await;
    for scene in scenes {
        scene.finish(true).await;
    }
    assert_eq!(writer.finish(&cluster.url("edgeward")).await, 0, "acknowledged rows are lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes a minute: a failover of a Patroni cluster"]
async fn failover_that_loses_refreshes_logs_nobody_out() {
    let Some((mut cluster, writer)) = prepare(false).await else { return };
    // Their sessions are as old as the cluster: a login that is lost is another matter.
    let scenes = [
        Scene::start("proxy", cluster.url("edgeward"), false).await,
        Scene::start("nodes", cluster.url_of_nodes("edgeward"), false).await,
    ];
    settle("no event", &scenes, &writer).await;
    cluster.freeze_replication();
    sleep(Duration::from_secs(1)).await;
    block_in_place(|| cluster.lose_node());
    settle("loss of a node with its last second", &scenes, &writer).await;
    for scene in scenes {
        scene.finish(false).await;
    }
    let lost = writer.finish(&cluster.url("edgeward")).await;
    println!("{lost} acknowledged rows of the writer are lost");
    assert!(lost > 0, "the failover was to lose something");
}
