//! Pages in a real Chromium, through the whole stack: runs the tests of `tests/browser`.

use std::fs::{self, File};
use std::process::Command;

use edgeward_kit::client::PASSWORD;
use edgeward_kit::command::run;
use edgeward_kit::journey::stack;
use edgeward_kit::skipped::say_skipped;
use edgeward_stack::{browser, paths, process, variable};

const ADMIN: &str = "root@example.org";
/// Variable with the names of files in `tests/browser`: only these run.
const CHOSEN: &str = "BROWSER_TESTS";

#[test]
fn pages_work_in_chromium() {
    let chromium = match browser::find() {
        Ok(chromium) => chromium,
        Err(missing) => return say_skipped(&format!("tests in a browser: {missing}")),
    };
    let folder = paths::root().join("tests/browser");
    browser::install_packages(&folder).unwrap();
    let companion = &stack().companion;
    let names = ["--first-name", "Ro", "--last-name", "Ot", "--role", "admin"];
    let created = run(&companion.database_url, &[&["user", "create", ADMIN][..], &names].concat(), PASSWORD);
    assert!(created.status.success(), "{created:?}");

    let (output, screenshots) = (paths::test_folder("output.txt"), paths::target().join("screenshots"));
    let file = File::create(&output).unwrap();
    let mut node = Command::new("node");
    node.current_dir(&folder).arg("run.js").args(variable(CHOSEN).iter().flat_map(|files| files.split(' ')));
    node.env("GATEWAY", format!("http://127.0.0.1:{}", stack().ports().gateway)).env("CHROMIUM", chromium);
    node.env("SIGNING_KEY", companion.certs.join("private.pem")).env("SCREENSHOTS", &screenshots);
    let inbox = stack().inbox().expect("an inbox").page;
    node.env("INBOX", format!("http://127.0.0.1:{inbox}"));
    node.env("ADMIN", ADMIN).env("PASSWORD", PASSWORD);
    node.stdout(file.try_clone().unwrap()).stderr(file);
    let status = process::run(&mut node).unwrap();
    assert!(status.success(), "{}", fs::read_to_string(&output).unwrap());
}
