//! Crashes of the companion and of Postgres under load: no acknowledged change is lost, and no user is logged out
//! unintentionally.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use edgeward_kit::client::{Client, PASSWORD, registration};
use edgeward_kit::fault_proxy::FaultProxy;
use edgeward_stack::companion::Companion;
use edgeward_stack::ports::Ports;
use edgeward_stack::process::Process;
use edgeward_stack::{Postgres, paths, postgres, variable, wait};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::block_in_place;

const PEOPLE: usize = 6;
/// Number of acknowledged requests between two crashes.
const PROGRESS: u64 = 20;
const LIMIT: Duration = Duration::from_mins(1);

/// Processes that are killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Victim {
    Companion,
    Postgres,
    Both,
}

const VICTIMS: [Victim; 3] = [Victim::Companion, Victim::Postgres, Victim::Both];

/// Companion and Postgres, with Postgres's default durability.
struct Scene {
    directory: PathBuf,
    ports: Ports,
    /// Proxy between them: Postgres has another port after each start.
    proxy: FaultProxy,
    companion: Companion,
    service: Option<Process>,
    postgres: Option<Postgres>,
}

impl Scene {
    async fn start() -> Self {
        let directory = paths::test_folder("crashes");
        block_in_place(|| postgres::erase(&directory.join("postgres"))).expect("a folder of our own");
        fs::create_dir_all(&directory).expect("a folder of our own");
        let postgres =
            block_in_place(|| Postgres::start(&directory.join("postgres"), &mut |_| {})).expect("Postgres");
        let (proxy, database_url) = FaultProxy::start_before(&postgres.url("edgeward")).await;
        let companion = Companion {
            database_url,
            refresh_secret: "a secret of the tests that is long enough".to_owned(),
            certs: directory.join("certs"),
            settings: vec![("BCRYPT_COST".to_owned(), "4".to_owned())],
        };
        let ports = Ports::free().expect("ports");
        let mut scene = Self { directory, ports, proxy, companion, service: None, postgres: Some(postgres) };
        block_in_place(|| {
            scene.companion.generate_keys().expect("keys");
            scene.companion.migrate().expect("a schema");
            scene.start_companion();
        });
        scene
    }

    fn start_companion(&mut self) {
        self.service = Some(self.companion.serve(&self.ports, &self.directory).expect("a companion"));
    }

    fn start_postgres(&mut self) {
        // The killed server's shared memory is free only after its last process has ended.
        let start = || Ok(Postgres::start(&self.directory.join("postgres"), &mut |_| {}).ok());
        let postgres = wait::until("Postgres after its crash", LIMIT, start).expect("Postgres");
        self.proxy.set_server(postgres.port());
        self.postgres = Some(postgres);
    }

    fn crash(&mut self, victim: Victim) {
        let companion = self.service.take_if(|_| victim != Victim::Postgres);
        let postgres = self.postgres.take_if(|_| victim != Victim::Companion);
        if let Some(service) = companion {
            service.kill();
        }
        if let Some(postgres) = postgres {
            postgres.kill();
        }
        if self.postgres.is_none() {
            self.start_postgres();
        }
        if self.service.is_none() {
            self.start_companion();
        }
    }
}

/// User who registers, refreshes, logs out and in again, and repeats a request until it has a response without a failure.
struct Person {
    client: Client,
    email: String,
    acknowledged: Arc<AtomicU64>,
}

impl Person {
    async fn live(mut self, stop: Arc<AtomicBool>) -> Self {
        let status = self.post("register", Some(registration(&self.email))).await;
        if status == 409 {
            // It was written without being acknowledged.
            self.login().await;
        } else {
            assert_eq!(status, 201);
        }
        while !stop.load(Ordering::Relaxed) {
            for _ in 0..3 {
                assert_eq!(self.post("refresh", None).await, 200, "{} was logged out", self.email);
            }
            let before = self.client.cookies.clone();
            assert_eq!(self.post("logout", None).await, 200);
            self.client.cookies = before;
            assert_eq!(self.post("refresh", None).await, 401, "a logout of {} was lost", self.email);
            self.login().await;
        }
        self
    }

    async fn login(&mut self) {
        let credentials = json!({"email": self.email, "password": PASSWORD});
        assert_eq!(self.post("login", Some(credentials)).await, 200, "{} was lost", self.email);
    }

    /// Repeats a request until it has a response without a failure, and returns the status.
    async fn post(&mut self, call: &str, body: Option<Value>) -> u16 {
        loop {
            let mut request = self.client.request(Method::POST, &format!("/api/auth/{call}")).timeout(LIMIT);
            if let Some(body) = &body {
                request = request.json(body);
            }
            if let Ok(response) = self.client.try_send(request).await
                && response.status < 500
            {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                return response.status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn crash_repeatedly(cycles: usize) {
    let mut scene = Scene::start().await;
    let (acknowledged, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let people: Vec<_> = (0..PEOPLE)
        .map(|number| {
            let person = Person {
                client: Client::new(format!("127.0.0.1:{}", scene.ports.companion), reqwest::Client::new()),
                email: format!("person{number}@example.com"),
                acknowledged: Arc::clone(&acknowledged),
            };
            tokio::spawn(person.live(Arc::clone(&stop)))
        })
        .collect();
    for victim in VICTIMS.into_iter().cycle().take(cycles) {
        let before = acknowledged.load(Ordering::Relaxed);
        while acknowledged.load(Ordering::Relaxed) < before + PROGRESS {
            assert!(!people.iter().any(tokio::task::JoinHandle::is_finished), "a user has stopped");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        block_in_place(|| scene.crash(victim));
    }
    stop.store(true, Ordering::Relaxed);
    for person in people {
        let mut person = person.await.expect("no wrong response");
        assert_eq!(person.post("refresh", None).await, 200, "{} was logged out", person.email);
    }
    println!("{cycles} crashes, {} responses acknowledged, none lost", acknowledged.load(Ordering::Relaxed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn crashes_under_load_lose_nothing_and_log_nobody_out() {
    crash_repeatedly(VICTIMS.len()).await;
}

// holds: invariant 10, promise 10
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes many minutes: CRASHES sets the number of crashes (default 500)"]
async fn five_hundred_crashes_under_load_lose_nothing_and_log_nobody_out() {
    crash_repeatedly(variable("CRASHES").map_or(500, |count| count.parse().expect("a number"))).await;
}
