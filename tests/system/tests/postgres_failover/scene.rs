//! Gateway with two companions, and users who send requests to it.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use edgeward_kit::api::mint;
use edgeward_kit::client::Client;
use edgeward_kit::journey::VERSIONS;
use edgeward_kit::journey::load::{everywhere, get};
use edgeward_stack::ports::Ports;
use edgeward_stack::process::Process;
use edgeward_stack::{Plan, Stack, envoy, paths};
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::sleep;

use super::people::Person;
use super::tally::{Kind, Tally};

/// Number of users of each gateway who write, and of those who read.
const PEOPLE: usize = 6;
/// Limits on guessing are not what is tested.
const SETTINGS: [(&str, &str); 3] =
    [("LIMIT_ADDRESS", "10000/1m"), ("LIMIT_ACCOUNT", "10000/1m"), ("LIMIT_REGISTRATION", "1000/1m")];
/// Maximum time from the end of the load to the rejection of each token of a session that was logged out.
const REVOKED_WITHIN: Duration = Duration::from_secs(5);

/// Gateway with two companions and its users.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) tally: Arc<Tally>,
    stack: Stack,
    second: Process,
    people: Vec<JoinHandle<Person>>,
    readers: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Scene {
    /// Starts both, with companions that reach the database by this address.
    pub(crate) async fn start(name: &'static str, url: String, logs_out: bool) -> Self {
        let (stack, second) = block_in_place(|| start(name, url));
        let (tally, stop) = (Arc::new(Tally::start()), Arc::new(AtomicBool::new(false)));
        let (people, readers) = (Vec::new(), Vec::new());
        let mut scene = Self { name, tally, stack, second, people, readers, stop };
        for number in 0..PEOPLE {
            let writer = scene.register(&format!("writer{number}")).await;
            scene.people.push(tokio::spawn(writer.live(Arc::clone(&scene.stop), logs_out)));
            let reader = scene.register(&format!("reader{number}")).await;
            scene.readers.push(tokio::spawn(reader.read(Arc::clone(&scene.stop))));
        }
        scene
    }

    /// Registers a user at the gateway.
    pub(crate) async fn register(&self, name: &str) -> Person {
        let http2 = VERSIONS[self.people.len() % VERSIONS.len()];
        let email = format!("{name}.{}@shop.example", self.name);
        Person::register(self.stack.ports().gateway, http2, email, &self.tally).await
    }

    /// Ends the load. Everybody must still be signed in. With `logouts_last`, those who logged out must not be.
    pub(crate) async fn finish(mut self, logouts_last: bool) {
        self.stop.store(true, Ordering::Relaxed);
        for reader in self.readers.drain(..) {
            reader.await.expect("a reader");
        }
        let mut ended = Vec::new();
        for person in self.people.drain(..) {
            let mut person = person.await.expect("a user");
            person.send(Kind::Refresh).await;
            ended.append(&mut person.ended);
        }
        let passing = self.count_passing(&ended).await;
        println!(
            "gateway by the {}: {} logouts, {passing} still pass\n{}",
            self.name,
            ended.len(),
            self.tally
        );
        self.tally.require_right();
        assert!(passing == 0 || !logouts_last, "{passing} logouts are lost");
        // They have gone on without a restart.
        self.stack.check_alive().expect("a running stack");
        self.second.check_alive().expect("a running companion");
    }

    /// Returns the number of clients that still pass, by their access token, by their refresh token or by both.
    pub(crate) async fn count_passing(&self, ended: &[Client]) -> usize {
        let (start, mut passing) = (Instant::now(), 0);
        for client in ended {
            while self.passes(client).await {
                if start.elapsed() > REVOKED_WITHIN {
                    passing += 1;
                    break;
                }
                sleep(Duration::from_millis(20)).await;
            }
        }
        passing
    }

    async fn passes(&self, client: &Client) -> bool {
        let gateway = self.stack.ports().gateway;
        let is_rejected = everywhere(gateway, 401, &client.cookies["access_token"]).await
            && get(gateway, "/orders", &client.cookie()).await.status == 401
            && client.clone_with(&["refresh_token"]).refresh().await.status == 401;
        !is_rejected
    }
}

fn start(name: &str, url: String) -> (Stack, Process) {
    let mut plan = Plan::for_tests(&paths::test_folder(name)).expect("a plan");
    fs::create_dir_all(&plan.certs).expect("a folder");
    fs::write(plan.certs.join("private.pem"), mint().private_pem()).expect("a key");
    let (ports, directory) = (Ports::free().expect("ports"), plan.directory.join("second"));
    fs::create_dir_all(&directory).expect("a folder");
    (plan.database_url, plan.fresh) = (Some(url), false);
    plan.settings.extend(SETTINGS.map(|(setting, value)| (setting.to_owned(), value.to_owned())));
    plan.replacements = envoy::another_companion(&ports);
    let stack = Stack::start(plan, &mut |_| {}).expect("a stack");
    let second = stack.companion.serve(&ports, &directory).expect("a companion");
    (stack, second)
}
