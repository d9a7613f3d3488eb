//! The OpenAPI document against the running companion, by requests that schemathesis makes from it.

use std::fs;
use std::process::Command;

use edgeward_kit::api::PASSKEYS;
use edgeward_kit::client::PASSWORD;
use edgeward_kit::command::{finish, start};
use edgeward_kit::database;
use edgeward_kit::service::{Service, edgeward};
use edgeward_stack::inbox::Inbox;
use edgeward_stack::{paths, wheels};
use serde_json::Value;

const ADMIN: &str = "root@example.org";
/// Maximum number of random requests for each operation. Chosen: those without parameters get fewer, so that a run has some 80,000.
const EXAMPLES: &str = "2400";

/// Returns a command that runs schemathesis in the folder of its configuration.
fn schemathesis() -> Command {
    let folder = paths::root().join("tests/system/schemathesis");
    let requirements = folder.join("requirements.txt");
    let program = wheels::python_program(&paths::tools(), "schemathesis", &requirements);
    let mut command = program.expect("Python 3.11 or later, with pip");
    command.current_dir(folder);
    command
}

#[tokio::test]
#[ignore = "takes minutes: cargo xtask test --test api_schemathesis -- --ignored --nocapture"]
async fn companion_does_what_its_openapi_document_says() {
    let keys = tempfile::tempdir().expect("a folder");
    assert!(edgeward(keys.path()).args(["keys", "generate"]).status().expect("a command").success());
    let database = database::fresh().await;
    let create = ["user", "create", ADMIN, "--first-name", "Ro", "--last-name", "Ot", "--role", "admin"];
    let created = finish(start(&database.url, &[], &create), PASSWORD);
    assert!(created.status.success(), "{created:?}");
    // With mail and passkeys, so that nothing is off.
    let inbox = Inbox::start(0).expect("free ports");
    let mail = inbox.settings("https://app.example");
    let mail = mail.each_ref().map(|(name, value)| (name.as_str(), value.as_str()));
    // Limits of mails would hide what is behind them.
    let settings = [&mail[..], &PASSKEYS, &[("LIMIT_MAIL", "10000/1s")]].concat();
    let service = Service::start_with(&database, keys.path(), &settings);

    let report = paths::test_folder("report.json");
    let mut command = schemathesis();
    command.args(["run", "../../../docs/reference/openapi.json", "--max-examples", EXAMPLES, "--no-color"]);
    command.arg("--url").arg(format!("http://{}", service.public));
    command.args(["--report", "json", "--report-json-path"]).arg(&report);
    command.env("ADMIN_EMAIL", ADMIN).env("ADMIN_PASSWORD", PASSWORD);
    assert!(command.status().expect("python3").success(), "the failures are above");
    let report: Value = serde_json::from_slice(&fs::read(report).expect("a report")).expect("JSON");
    let generated = report["test_cases"]["generated"].as_u64().expect("a number");
    assert!(generated >= 50_000, "{generated} requests");
}
