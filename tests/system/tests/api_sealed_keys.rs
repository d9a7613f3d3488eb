//! Signing keys in the database, with companions and commands that can write to no folder.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use edgeward_kit::client::{Client, PASSWORD};
use edgeward_kit::command::{finish, start};
use edgeward_kit::database::{self, Database};
use edgeward_kit::service::{Service, edgeward};
use edgeward_wire::JwkSet;
use reqwest::Method;
use serde_json::Value;

const KEY: &str = "5a0c1e83bb6f4d2907f1a8c93e64d0275b1947ee80c2fd36a9154be07d92cf38";
const OTHER_KEY: &str = "c41f7ae95d3b08627e90d4b1f82a6c537de4190b3f68a2c57091ebd6482cf75a";
/// Folder that nothing can be written to.
const READ_ONLY: &str = "/proc";
const DEADLINE: Duration = Duration::from_secs(20);

/// Runs `edgeward keys` under a key-encryption key.
fn run(database: &Database, key: &str, arguments: &[&str]) -> Output {
    let settings = [("KEY_ENCRYPTION_KEY", key), ("CERTS_DIR", READ_ONLY)];
    finish(start(&database.url, &settings, &[&["keys"], arguments].concat()), "")
}

/// Runs a command that succeeds. Returns each line of its output as its first word and the rest.
fn keys(database: &Database, key: &str, arguments: &[&str]) -> Vec<(String, String)> {
    let output = run(database, key, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    lines(&output)
}

fn lines(output: &Output) -> Vec<(String, String)> {
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    let words = text.lines().filter_map(|line| line.split_once(' '));
    words.map(|(word, rest)| (word.to_owned(), rest.trim().to_owned())).collect()
}

/// Runs a command that fails with this message.
fn check_fails(database: &Database, key: &str, arguments: &[&str], expected: &str) {
    let output = run(database, key, arguments);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
    assert!(text.contains(expected) && !text.contains(key), "{arguments:?}: {text}");
}

fn find(lines: &[(String, String)], word: &str) -> String {
    lines.iter().find(|(first, _)| first == word).map(|(_, rest)| rest.clone()).expect("a line")
}

/// Running companion.
struct Companion {
    service: Service,
    http: reqwest::Client,
}

impl Companion {
    fn start(database: &Database, key: &str) -> Self {
        let service = Service::start_with(database, Path::new(READ_ONLY), &[("KEY_ENCRYPTION_KEY", key)]);
        Self { service, http: reqwest::Client::new() }
    }

    fn client(&self) -> Client {
        Client::new(&self.service.public, self.http.clone())
    }

    async fn published(&self) -> BTreeSet<String> {
        let response = self.client().get("/.well-known/jwks.json").await;
        let set: JwkSet = serde_json::from_value(response.body).expect("a JWK set");
        set.keys.into_iter().filter_map(|key| key.kid).collect()
    }

    /// Waits until it publishes a key.
    async fn wait_for(&self, kid: &str) {
        let deadline = Instant::now() + DEADLINE;
        while !self.published().await.contains(kid) {
            assert!(Instant::now() < deadline, "{kid} is not published");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until its job has looked for other keys this many times more.
    async fn wait_for_steps(&self, steps: usize) {
        let deadline = Instant::now() + DEADLINE;
        let mut seen = BTreeSet::new();
        // The first time may be that of a step before.
        while seen.len() <= steps {
            let mut internal = Client::new(&self.service.internal, self.http.clone());
            let metrics = internal.get("/metrics").await.text;
            let mut lines = metrics.lines().filter(|line| line.contains("follow the signing keys"));
            seen.extend(lines.find(|line| line.contains("success")).map(str::to_owned));
            assert!(Instant::now() < deadline, "{metrics}");
            tokio::time::sleep(Duration::from_millis(50)).await;
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

    async fn register(&self) {
        assert_eq!(self.client().register("ada@example.com").await.status, 201);
    }
}

/// Returns the ID of the key that a token is signed with.
fn kid(token: &str) -> String {
    use base64::Engine as _;
    let header = token.split('.').next().expect("a header");
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).expect("base64url");
    serde_json::from_slice::<Value>(&header).expect("JSON")["kid"].as_str().expect("a kid").to_owned()
}

async fn events(database: &Database) -> Vec<String> {
    let rows = sqlx::query_scalar("select event from audit_log where event like 'keys%' order by id");
    rows.fetch_all(&database.pool()).await.expect("events")
}

#[tokio::test]
async fn no_token_is_rejected_while_keys_of_the_database_rotate() {
    let database = database::fresh().await;
    keys(&database, KEY, &["generate"]);
    keys(&database, KEY, &["rotate"]);
    let [a, b] = [Companion::start(&database, KEY), Companion::start(&database, KEY)];
    a.register().await;
    let mut tokens = vec![a.sign().await];
    for rotations in 1..=3 {
        let lines = keys(&database, KEY, &["rotate", "--force"]);
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
        for companion in [&a, &b] {
            companion.wait_for(&announced).await;
        }
    }
    let listed: Vec<_> = keys(&database, KEY, &["list"]).into_iter().map(|(phase, _)| phase).collect();
    assert_eq!(listed, ["signing", "announced", "retired", "retired", "retired"]);
    assert_eq!(a.published().await.len(), 5);
    // A running companion reports the events of commands, which the table has.
    let expected = [&["keys_generated"][..], &["keys_rotated"; 4]].concat();
    assert_eq!(events(&database).await, expected);
}

#[tokio::test]
async fn of_several_commands_at_once_one_changes_the_keys() {
    let database = database::fresh().await;
    let settings = [("KEY_ENCRYPTION_KEY", KEY), ("CERTS_DIR", READ_ONLY)];
    let at_once = |arguments: &[&str]| {
        let commands = [(); 4].map(|()| start(&database.url, &settings, arguments));
        commands.map(|command| finish(command, ""))
    };
    let generated = at_once(&["keys", "generate", "--if-missing"]);
    assert!(generated.iter().all(|output| output.status.success()), "{generated:?}");
    let kids: BTreeSet<_> = generated.iter().flat_map(lines).map(|(kid, _)| kid).collect();
    assert_eq!(kids.len(), 1);
    assert_eq!(events(&database).await, ["keys_generated"]);

    let rotated = at_once(&["keys", "rotate"]);
    let succeeded = rotated.iter().filter(|output| output.status.success()).count();
    assert_eq!(succeeded, 1, "{rotated:?}");
    for rejected in rotated.iter().filter(|output| !output.status.success()) {
        let text = String::from_utf8_lossy(&rejected.stderr);
        assert!(text.contains("may sign 10 minutes later"), "{text}");
    }
    assert_eq!(keys(&database, KEY, &["list"]).len(), 2);
    check_fails(&database, KEY, &["generate"], "the database has signing keys already");
}

#[tokio::test]
async fn companion_starts_with_keys_that_it_can_open_alone() {
    let database = database::fresh().await;
    check_fails(&database, KEY, &["list"], "run: edgeward keys generate");
    let serve = |key| {
        let mut command = edgeward(Path::new(READ_ONLY));
        command.arg("serve").env("DATABASE_URL", &database.url).env("KEY_ENCRYPTION_KEY", key);
        command.env("REFRESH_JWT_SECRET", "r".repeat(32)).env("PORT", "0").env("INTERNAL_PORT", "0");
        let output = command.output().expect("an output");
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    let (code, text) = serve(KEY);
    assert_eq!((code, text.contains("run: edgeward keys generate")), (Some(1), true), "{text}");
    keys(&database, KEY, &["generate"]);
    let (code, text) = serve(OTHER_KEY);
    assert_eq!(
        (code, text.contains("sealed by another key than KEY_ENCRYPTION_KEY")),
        (Some(1), true),
        "{text}"
    );
    for command in ["rotate", "list", "jwk", "reseal"] {
        check_fails(&database, OTHER_KEY, &[command], "sealed by another key than KEY_ENCRYPTION_KEY");
    }
    let short = KEY.trim_start_matches('5');
    let (code, text) = serve(short);
    assert_eq!((code, text.contains("openssl rand -hex 32")), (Some(1), true), "{text}");
    assert!(!text.contains(short), "{text}");
}

#[tokio::test]
async fn imported_keys_keep_tokens_good_in_both_stores() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let in_folder = |arguments: &[&str]| {
        let output = edgeward(folder.path()).arg("keys").args(arguments).output().expect("an output");
        assert!(output.status.success(), "{output:?}");
        lines(&output)
    };
    in_folder(&["generate"]);
    in_folder(&["rotate"]);
    in_folder(&["rotate", "--force"]);
    let database = database::fresh().await;
    let path = folder.path().to_str().expect("UTF-8");
    check_fails(&database, KEY, &["import", "/nowhere"], "there is no folder of keys at /nowhere");
    let imported = keys(&database, KEY, &["import", path]);
    // The same keys, phases and times; a folder has files besides.
    let without_file = |(phase, rest): (String, String)| {
        (phase, rest.split_whitespace().take(4).collect::<Vec<_>>().join(" "))
    };
    let plain = |lines: Vec<(String, String)>| lines.into_iter().map(without_file).collect::<Vec<_>>();
    assert_eq!(plain(imported), plain(in_folder(&["list"])));
    assert_eq!(plain(keys(&database, KEY, &["list"])), plain(in_folder(&["list"])));

    let old = Companion { service: Service::start(&database, folder.path()), http: reqwest::Client::new() };
    let new = Companion::start(&database, KEY);
    old.register().await;
    assert_eq!(old.published().await, new.published().await);
    for token in [old.sign().await, new.sign().await] {
        assert!(old.accepts(&token).await && new.accepts(&token).await);
    }
    check_fails(&database, KEY, &["import", path], "the database has signing keys already");
    assert_eq!(events(&database).await, ["keys_imported"]);
}

#[tokio::test]
async fn table_with_keys_is_not_reverted() {
    let database = database::fresh().await;
    keys(&database, KEY, &["generate"]);
    let output = finish(start(&database.url, &[], &["migrate", "revert"]), "");
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(!output.status.success() && text.contains("signing_keys has keys"), "{text}");
    assert_eq!(keys(&database, KEY, &["list"]).len(), 1);
}

#[tokio::test]
async fn key_encryption_key_is_replaced_while_companions_run() {
    let database = database::fresh().await;
    let both = format!("{OTHER_KEY},{KEY}");
    keys(&database, KEY, &["generate"]);
    keys(&database, KEY, &["rotate"]);
    let [late, ready] = [Companion::start(&database, KEY), Companion::start(&database, &both)];
    ready.register().await;
    let before = ready.published().await;
    let token = late.sign().await;
    keys(&database, &both, &["reseal"]);
    let rotated = keys(&database, OTHER_KEY, &["rotate", "--force"]);
    check_fails(&database, KEY, &["list"], "sealed by another key than KEY_ENCRYPTION_KEY");
    ready.wait_for(&find(&rotated, "announced")).await;
    // The companion without the new key says so, and goes on with the former keys, which the others accept.
    assert_eq!(late.published().await, before);
    assert!(ready.accepts(&late.sign().await).await && late.accepts(&token).await);
    let renewed = Companion::start(&database, OTHER_KEY);
    assert!(renewed.accepts(&token).await);
    late.wait_for_steps(2).await;
    let log = late.service.stop();
    let told = log.iter().any(|line| line.to_string().contains("the former ones stay in use"));
    assert!(told, "{log:?}");
    assert_eq!(events(&database).await[2..], ["keys_resealed", "keys_rotated"]);
}

#[tokio::test]
async fn forced_generation_replaces_stolen_or_lost_keys() {
    let database = database::fresh().await;
    keys(&database, KEY, &["generate"]);
    keys(&database, KEY, &["rotate"]);
    let companion = Companion::start(&database, KEY);
    companion.register().await;
    let stolen = companion.sign().await;
    let generated = keys(&database, KEY, &["generate", "--force"]);
    companion.wait_for(&generated[0].0).await;
    assert_eq!(companion.published().await.len(), 1);
    assert!(!companion.accepts(&stolen).await);
    // The key-encryption key is lost.
    keys(&database, OTHER_KEY, &["generate", "--force"]);
    assert_eq!(keys(&database, OTHER_KEY, &["list"]).len(), 1);
}
