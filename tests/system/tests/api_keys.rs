//! Changes of signing keys while companions run, with the real service, its key folder and its commands.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use edgeward_kit::client::{Client, PASSWORD};
use edgeward_kit::database::{self, Database};
use edgeward_kit::service::{Service, edgeward};
use edgeward_wire::JwkSet;
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

/// Running companion.
struct Companion {
    service: Service,
    http: reqwest::Client,
}

impl Companion {
    fn start(database: &Database, certs: &Path) -> Self {
        Self { service: Service::start(database, certs), http: reqwest::Client::new() }
    }

    fn client(&self) -> Client {
        Client::new(&self.service.public, self.http.clone())
    }

    async fn published(&self) -> JwkSet {
        let response = self.client().get("/.well-known/jwks.json").await;
        serde_json::from_value(response.body).expect("a JWK set")
    }

    /// Waits until it publishes this number of keys, `kid` among them.
    async fn wait_for(&self, kid: &str, keys: usize) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let set = self.published().await.keys;
            if set.len() == keys && set.iter().any(|key| key.kid.as_deref() == Some(kid)) {
                return;
            }
            assert!(Instant::now() < deadline, "{kid} is not among the {} keys", set.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Logs the registered user in, and returns the access token.
    async fn sign(&self) -> String {
        let mut client = self.client();
        assert_eq!(client.login("ada@example.com", PASSWORD).await.status, 200);
        client.cookies["access_token"].clone()
    }

    async fn accepts(&self, token: &str) -> bool {
        let mut client = self.client();
        let request = client.request(Method::GET, "/api/auth/self").bearer_auth(token);
        client.send(request).await.status == 200
    }
}

/// Runs a command. Returns each line of its output as its first word and the rest.
fn run(certs: &Path, arguments: &[&str]) -> Vec<(String, String)> {
    let output = edgeward(certs).args(arguments).output().expect("an output");
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let words = lines.lines().filter_map(|line| line.split_once(' '));
    words.map(|(word, rest)| (word.to_owned(), rest.trim().to_owned())).collect()
}

fn find(lines: &[(String, String)], word: &str) -> String {
    lines.iter().find(|(first, _)| first == word).map(|(_, rest)| rest.clone()).expect("a line")
}

/// Returns the ID of the key that a token is signed with.
fn kid(token: &str) -> String {
    use base64::Engine as _;
    let header = token.split('.').next().expect("a header");
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).expect("base64url");
    serde_json::from_slice::<Value>(&header).expect("JSON")["kid"].as_str().expect("a kid").to_owned()
}

async fn two_companions() -> (TempDir, Database, [Companion; 2]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = database::fresh().await;
    run(folder.path(), &["keys", "generate"]);
    run(folder.path(), &["keys", "rotate"]);
    let companions = [Companion::start(&database, folder.path()), Companion::start(&database, folder.path())];
    assert_eq!(companions[0].client().register("ada@example.com").await.status, 201);
    (folder, database, companions)
}

#[tokio::test]
async fn no_token_is_rejected_while_keys_rotate_in_two_companions() {
    let (folder, _database, [a, b]) = two_companions().await;
    let mut tokens = vec![a.sign().await];
    for rotations in 1..=3 {
        let lines = run(folder.path(), &["keys", "rotate", "--force"]);
        let (signing, announced) = (find(&lines, "signing"), find(&lines, "announced"));
        let deadline = Instant::now() + Duration::from_secs(20);
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
        for companion in [&a, &b] {
            companion.wait_for(&announced, rotations + 2).await;
        }
    }
    assert_eq!(tokens.len(), 7);
}

#[tokio::test]
async fn unusable_keys_leave_the_former_ones_in_use() {
    let (folder, _database, [a, _b]) = two_companions().await;
    let before = a.published().await;
    let next = folder.path().join("next.pem");
    let good = fs::read(&next).expect("a key");
    let lines = run(folder.path(), &["keys", "list"]);
    let signing = find(&lines, "signing");
    fs::write(&next, "rubbish").expect("a file");
    // The companion may or may not have read the file by now.
    assert_eq!(a.published().await, before);
    fs::write(&next, good).expect("a file");
    let lines = run(folder.path(), &["keys", "rotate", "--force"]);
    a.wait_for(&find(&lines, "announced"), 3).await;
    assert!(signing.contains(&find(&lines, "retired")), "{signing}");
}

#[tokio::test]
async fn newly_announced_key_does_not_sign() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    run(folder.path(), &["keys", "generate"]);
    let first = run(folder.path(), &["keys", "rotate"]);
    let phases = |lines: Vec<(String, String)>| lines.into_iter().map(|(word, _)| word).collect::<Vec<_>>();
    assert_eq!(phases(run(folder.path(), &["keys", "list"])), ["signing", "announced"]);
    let rejected = edgeward(folder.path()).args(["keys", "rotate"]).output().expect("an output");
    let lines = String::from_utf8(rejected.stderr).expect("UTF-8");
    assert_eq!(
        (rejected.status.code(), lines.contains("may sign 10 minutes later")),
        (Some(1), true),
        "{lines}"
    );
    let forced = run(folder.path(), &["keys", "rotate", "--force"]);
    assert_eq!(find(&forced, "signing"), find(&first, "announced"));
    assert_eq!(phases(forced), ["retired", "signing", "announced"]);
    assert_eq!(phases(run(folder.path(), &["keys", "list"])), ["signing", "announced", "retired"]);
}
