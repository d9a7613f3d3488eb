//! Signing keys in the database, with companions and commands that can write to no folder.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use edgeward_kit::command::{finish, start};
use edgeward_kit::database::{self, Database};
use edgeward_kit::service::{Service, edgeward};
use edgeward_kit::signer::{DEADLINE, Lines, Signer, find, lines, rotate_three_times};

const KEY: &str = "5a0c1e83bb6f4d2907f1a8c93e64d0275b1947ee80c2fd36a9154be07d92cf38";
const OTHER_KEY: &str = "c41f7ae95d3b08627e90d4b1f82a6c537de4190b3f68a2c57091ebd6482cf75a";
/// Folder that nothing can be written to.
const READ_ONLY: &str = "/proc";

/// Runs `edgeward keys` under a key-encryption key.
fn run(database: &Database, key: &str, arguments: &[&str]) -> Output {
    let settings = [("KEY_ENCRYPTION_KEY", key), ("CERTS_DIR", READ_ONLY)];
    finish(start(&database.url, &settings, &[&["keys"], arguments].concat()), "")
}

/// Runs a command that succeeds.
fn keys(database: &Database, key: &str, arguments: &[&str]) -> Lines {
    lines(&run(database, key, arguments))
}

/// Runs a command that fails with this message.
fn check_fails(database: &Database, key: &str, arguments: &[&str], expected: &str) {
    let output = run(database, key, arguments);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
    assert!(text.contains(expected) && !text.contains(key), "{arguments:?}: {text}");
}

fn start_signer(database: &Database, key: &str) -> Signer {
    Signer::new(Service::start_with(database, Path::new(READ_ONLY), &[("KEY_ENCRYPTION_KEY", key)]))
}

/// Waits until the job of a companion has looked for other keys this many times more.
async fn wait_for_steps(companion: &Signer, steps: usize) {
    let deadline = Instant::now() + DEADLINE;
    let mut seen = BTreeSet::new();
    // The first time may be that of a step before.
    while seen.len() <= steps {
        let metrics = companion.metrics().await;
        let mut lines = metrics.lines().filter(|line| line.contains("follow the signing keys"));
        seen.extend(lines.find(|line| line.contains("success")).map(str::to_owned));
        assert!(Instant::now() < deadline, "{metrics}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
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
    let [a, b] = [start_signer(&database, KEY), start_signer(&database, KEY)];
    a.register().await;
    rotate_three_times([&a, &b], || keys(&database, KEY, &["rotate", "--force"])).await;
    let listed: Vec<_> = keys(&database, KEY, &["list"]).into_iter().map(|(phase, _)| phase).collect();
    assert_eq!(listed, ["signing", "announced", "retired", "retired", "retired"]);
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
        lines(&edgeward(folder.path()).arg("keys").args(arguments).output().expect("an output"))
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
    let plain = |lines: Lines| lines.into_iter().map(without_file).collect::<Vec<_>>();
    assert_eq!(plain(imported), plain(in_folder(&["list"])));
    assert_eq!(plain(keys(&database, KEY, &["list"])), plain(in_folder(&["list"])));

    let old = Signer::new(Service::start(&database, folder.path()));
    let new = start_signer(&database, KEY);
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
    // Later migrations are reverted before it.
    let mut reverted = (0..99).map(|_| finish(start(&database.url, &[], &["migrate", "revert"]), ""));
    let output = reverted.find(|output| !output.status.success()).expect("a failure");
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(text.contains("signing_keys has keys"), "{text}");
    assert!(finish(start(&database.url, &[], &["migrate", "run"]), "").status.success());
    assert_eq!(keys(&database, KEY, &["list"]).len(), 1);
}

#[tokio::test]
async fn key_encryption_key_is_replaced_while_companions_run() {
    let database = database::fresh().await;
    let both = format!("{OTHER_KEY},{KEY}");
    keys(&database, KEY, &["generate"]);
    keys(&database, KEY, &["rotate"]);
    let [late, ready] = [start_signer(&database, KEY), start_signer(&database, &both)];
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
    let renewed = start_signer(&database, OTHER_KEY);
    assert!(renewed.accepts(&token).await);
    wait_for_steps(&late, 2).await;
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
    let companion = start_signer(&database, KEY);
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
