//! Companions whose signing keys are changed by commands: the output of these commands, and the tokens that are signed and
//! accepted.

use std::collections::BTreeSet;
use std::process::Output;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::JwkSet;
use reqwest::Method;
use serde_json::Value;
use tokio::time::sleep;

use crate::client::{Client, PASSWORD};
use crate::service::Service;

/// Longest time until a companion uses changed keys.
pub const DEADLINE: Duration = Duration::from_secs(20);
/// Address of the user who logs in.
const USER: &str = "ada@example.com";

/// Lines that a command has printed: the first word, and the rest.
pub type Lines = Vec<(String, String)>;

/// Returns the lines of a command that has succeeded.
#[must_use]
pub fn lines(output: &Output) -> Lines {
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    let words = text.lines().filter_map(|line| line.split_once(' '));
    words.map(|(word, rest)| (word.to_owned(), rest.trim().to_owned())).collect()
}

/// Returns the rest of the line that begins with a word.
#[must_use]
pub fn find(lines: &Lines, word: &str) -> String {
    lines.iter().find(|(first, _)| first == word).map(|(_, rest)| rest.clone()).expect("a line")
}

/// Returns the ID of the key that a token is signed with.
fn kid(token: &str) -> String {
    let header = token.split('.').next().expect("a header");
    let header = URL_SAFE_NO_PAD.decode(header).expect("base64url");
    serde_json::from_slice::<Value>(&header).expect("JSON")["kid"].as_str().expect("a kid").to_owned()
}

/// Running companion that signs and verifies tokens.
pub struct Signer {
    /// Companion.
    pub service: Service,
    http: reqwest::Client,
}

impl Signer {
    /// Uses a companion.
    #[must_use]
    pub fn new(service: Service) -> Self {
        Self { service, http: reqwest::Client::new() }
    }

    fn client(&self) -> Client {
        Client::new(&self.service.public, self.http.clone())
    }

    /// Returns the metrics.
    pub async fn metrics(&self) -> String {
        Client::new(&self.service.internal, self.http.clone()).get("/metrics").await.text
    }

    /// Registers the user who logs in.
    pub async fn register(&self) {
        assert_eq!(self.client().register(USER).await.status, 201);
    }

    /// Logs the registered user in, and returns the access token.
    pub async fn sign(&self) -> String {
        let mut client = self.client();
        assert_eq!(client.login(USER, PASSWORD).await.status, 200);
        client.cookies["access_token"].clone()
    }

    /// Returns `true` if an access token is accepted.
    pub async fn accepts(&self, token: &str) -> bool {
        let mut client = self.client();
        let request = client.request(Method::GET, "/api/auth/self").bearer_auth(token);
        client.send(request).await.status == 200
    }

    /// Returns the IDs of the published keys.
    pub async fn published(&self) -> BTreeSet<String> {
        let response = self.client().get("/.well-known/jwks.json").await;
        let set: JwkSet = serde_json::from_value(response.body).expect("a JWK set");
        set.keys.into_iter().filter_map(|key| key.kid).collect()
    }

    /// Waits until a key is published.
    pub async fn wait_for(&self, kid: &str) {
        let deadline = Instant::now() + DEADLINE;
        while !self.published().await.contains(kid) {
            assert!(Instant::now() < deadline, "{kid} is not published");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Rotates the keys of two companions three times, from a signing and an announced key. All the while, each accepts every
/// token that either has signed.
pub async fn rotate_three_times([a, b]: [&Signer; 2], rotate: impl Fn() -> Lines) {
    let mut tokens = vec![a.sign().await];
    for rotations in 1..=3 {
        let lines = rotate();
        let (signing, announced) = (find(&lines, "signing"), find(&lines, "announced"));
        let deadline = Instant::now() + DEADLINE;
        loop {
            let made = [a.sign().await, b.sign().await];
            for token in tokens.iter().chain(&made) {
                assert!(a.accepts(token).await && b.accepts(token).await, "{rotations}: {}", kid(token));
            }
            if made.iter().all(|token| kid(token) == signing) {
                tokens.extend(made);
                break;
            }
            assert!(Instant::now() < deadline, "{signing} does not sign");
        }
        // Without `--force`, an administrator waits as well: the announced key signs once every companion publishes it.
        for companion in [a, b] {
            companion.wait_for(&announced).await;
            assert_eq!(companion.published().await.len(), rotations + 2);
        }
    }
    assert_eq!(tokens.len(), 7);
}
