//! Changes of signing keys while companions run, with the real service, its key folder and its commands.

use std::fs;
use std::path::Path;

use edgeward_kit::database::{self, Database};
use edgeward_kit::service::{Service, edgeward};
use edgeward_kit::signer::{Lines, Signer, find, lines, rotate_three_times};
use tempfile::TempDir;

/// Runs a command that succeeds.
fn run(certs: &Path, arguments: &[&str]) -> Lines {
    lines(&edgeward(certs).args(arguments).output().expect("an output"))
}

async fn two_companions() -> (TempDir, Database, [Signer; 2]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = database::fresh().await;
    run(folder.path(), &["keys", "generate"]);
    run(folder.path(), &["keys", "rotate"]);
    let companions = [(); 2].map(|()| Signer::new(Service::start(&database, folder.path())));
    companions[0].register().await;
    (folder, database, companions)
}

// holds: invariant 10, promise 10
#[tokio::test]
async fn no_token_is_rejected_while_keys_rotate_in_two_companions() {
    let (folder, _database, [a, b]) = two_companions().await;
    rotate_three_times([&a, &b], || run(folder.path(), &["keys", "rotate", "--force"])).await;
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
    a.wait_for(&find(&lines, "announced")).await;
    assert_eq!(a.published().await.len(), 3);
    assert!(signing.contains(&find(&lines, "retired")), "{signing}");
}

#[tokio::test]
async fn newly_announced_key_does_not_sign() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    run(folder.path(), &["keys", "generate"]);
    let first = run(folder.path(), &["keys", "rotate"]);
    let phases = |lines: Lines| lines.into_iter().map(|(word, _)| word).collect::<Vec<_>>();
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
