//! The load: users who stay signed in for the whole time, and users who log in and out, each at the gateway of the moment.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use edgeward_kit::client::{Client, PASSWORD, Response};
use edgeward_kit::journey::client_at;
use edgeward_kit::journey::load::everywhere;
use reqwest::Method;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Number of users of each kind.
const USERS: usize = 4;
/// Time between two requests of a user.
const PACE: Duration = Duration::from_millis(10);
/// Time that each step of an upgrade is under load.
const STEP: Duration = Duration::from_secs(4);
/// Maximum time from a logout to the rejection of its token at the gateway.
const REVOKED_WITHIN: Duration = Duration::from_secs(5);

/// Running load.
pub(crate) struct Load {
    shared: Arc<Shared>,
    users: Vec<JoinHandle<()>>,
}

/// State that all users share.
struct Shared {
    gateway: Arc<AtomicU16>,
    stop: AtomicBool,
    responses: AtomicU64,
    wrong: Mutex<Vec<String>>,
    /// Access tokens whose session was ended.
    ended: Mutex<Vec<String>>,
    slowest_revocation: Mutex<Duration>,
}

impl Load {
    pub(crate) async fn start(gateway: Arc<AtomicU16>) -> Self {
        let shared = Arc::new(Shared {
            gateway,
            stop: AtomicBool::default(),
            responses: AtomicU64::default(),
            wrong: Mutex::default(),
            ended: Mutex::default(),
            slowest_revocation: Mutex::default(),
        });
        let mut users = Vec::new();
        for number in 0..USERS {
            let mut user = User::register(&shared, &format!("stays{number}@shop.example")).await;
            users.push(tokio::spawn(async move { user.stay().await }));
            let mut user = User::register(&shared, &format!("leaves{number}@shop.example")).await;
            users.push(tokio::spawn(async move { user.come_and_go().await }));
        }
        Self { shared, users }
    }

    /// Keeps the load on what runs now. Fails if a response was wrong, or if a token of an ended session passes.
    pub(crate) async fn step(&self, what: &str) {
        let before = self.shared.responses.load(Ordering::SeqCst);
        sleep(STEP).await;
        let responses = self.shared.responses.load(Ordering::SeqCst) - before;
        println!("{what}: {responses} responses");
        self.require_right(what);
        assert!(responses > 100, "{what}: the load stands still");
        let gateway = self.shared.gateway.load(Ordering::SeqCst);
        let ended = self.shared.ended.lock().expect("tokens").clone();
        // The oldest and the newest: those that a gateway reads first and last.
        for token in ended.iter().take(3).chain(ended.iter().rev().take(3)) {
            assert!(everywhere(gateway, 401, token).await, "{what}: a token of an ended session passes");
        }
    }

    /// Ends the load. Returns what it has seen.
    pub(crate) async fn end(mut self) -> String {
        self.shared.stop.store(true, Ordering::SeqCst);
        while let Some(user) = self.users.pop() {
            user.await.expect("a user");
        }
        self.require_right("the end");
        let ended = self.shared.ended.lock().expect("tokens").len();
        let slowest = *self.shared.slowest_revocation.lock().expect("a time");
        format!(
            "{} responses, 0 wrong; {USERS} users stayed signed in; {ended} logouts, each at the gateway within {slowest:.1?}",
            self.shared.responses.load(Ordering::SeqCst)
        )
    }

    fn require_right(&self, what: &str) {
        // A copy: a panic with the lock would be that of every user too.
        let wrong = self.shared.wrong.lock().expect("responses").clone();
        assert!(wrong.is_empty(), "{what}: {} wrong:\n{}", wrong.len(), wrong.join("\n"));
    }
}

struct User {
    shared: Arc<Shared>,
    http: reqwest::Client,
    email: String,
    cookies: BTreeMap<String, String>,
    start: Instant,
}

impl User {
    async fn register(shared: &Arc<Shared>, email: &str) -> Self {
        let http = client_at(1, false).http;
        let (shared, start) = (Arc::clone(shared), Instant::now());
        let mut user = Self { shared, http, email: email.to_owned(), cookies: BTreeMap::new(), start };
        let mut client = user.client();
        assert_eq!(client.register(email).await.status, 201);
        user.cookies = client.cookies;
        user
    }

    /// Returns a client at the gateway of the moment.
    fn client(&self) -> Client {
        let port = self.shared.gateway.load(Ordering::SeqCst);
        let mut client = Client::new(format!("127.0.0.1:{port}"), self.http.clone());
        client.cookies.clone_from(&self.cookies);
        client
    }

    /// Sends a request, keeps its cookies, and notes a response that is not a success.
    async fn send(&mut self, what: &str, method: Method, path: &str) -> bool {
        let mut client = self.client();
        let request = client.request(method, path);
        let response = client.try_send(request).await;
        self.judge(what, &response, client)
    }

    fn judge(&mut self, what: &str, response: &reqwest::Result<Response>, client: Client) -> bool {
        self.cookies = client.cookies;
        self.shared.responses.fetch_add(1, Ordering::SeqCst);
        let is_right = response.as_ref().is_ok_and(|response| response.status == 200);
        if !is_right {
            let told = format!("{}, after {:.1?}: {what}: {response:?}", self.email, self.start.elapsed());
            self.shared.wrong.lock().expect("responses").push(told);
        }
        is_right
    }

    fn is_stopped(&self) -> bool {
        self.shared.stop.load(Ordering::SeqCst)
    }

    /// Reads, refreshes, and reads with the refresh cookie alone, in one session.
    async fn stay(&mut self) {
        while !self.is_stopped() {
            for _ in 0..3 {
                self.send("a read", Method::GET, "/orders").await;
                sleep(PACE).await;
            }
            self.send("a refresh", Method::POST, "/api/auth/refresh").await;
            sleep(PACE).await;
            self.cookies.remove("access_token");
            self.send("a held read", Method::GET, "/orders").await;
            sleep(PACE).await;
        }
    }

    /// Logs in, reads, logs out, and waits for the rejection of the token.
    async fn come_and_go(&mut self) {
        while !self.is_stopped() {
            let mut client = self.client();
            let login = serde_json::json!({"email": self.email, "password": PASSWORD});
            let request = client.request(Method::POST, "/api/auth/login").json(&login);
            let response = client.try_send(request).await;
            self.judge("a login", &response, client);
            self.send("a read after the login", Method::GET, "/orders").await;
            let token = self.cookies.get("access_token").cloned();
            let logged_out = self.send("a logout", Method::POST, "/api/auth/logout").await;
            if let Some(token) = token.filter(|_| logged_out) {
                self.wait_for_rejection(token).await;
            }
            sleep(PACE).await;
        }
    }

    async fn wait_for_rejection(&self, token: String) {
        let logout = Instant::now();
        loop {
            let port = self.shared.gateway.load(Ordering::SeqCst);
            if everywhere(port, 401, &token).await {
                break;
            }
            if logout.elapsed() > REVOKED_WITHIN {
                let told = format!("{}: the token of a logout passes after {REVOKED_WITHIN:?}", self.email);
                self.shared.wrong.lock().expect("responses").push(told);
                break;
            }
            sleep(PACE).await;
        }
        let mut slowest = self.shared.slowest_revocation.lock().expect("a time");
        *slowest = logout.elapsed().max(*slowest);
        self.shared.ended.lock().expect("tokens").push(token);
    }
}
