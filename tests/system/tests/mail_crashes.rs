//! The companion is killed at every step of a mail's way. Each mail is sent at least once, none is lost, and duplicates are
//! counted.

use std::collections::BTreeMap;
use std::path::Path;

use edgeward_kit::client::Client;
use edgeward_kit::database::{self, Database};
use edgeward_kit::journey::load::until;
use edgeward_kit::service::{Service, edgeward};
use edgeward_stack::inbox::{Fault, Inbox, Step};
use sqlx::PgPool;

const PUBLIC_URL: &str = "https://app.example";

/// Starts a companion that sends its mails to an inbox.
fn start(database: &Database, keys: &Path, inbox: &Inbox) -> Service {
    let settings = inbox.settings(PUBLIC_URL);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Service::start_with(database, keys, &settings)
}

async fn register(service: &Service, email: &str) {
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let response = Client::new(&service.public, http).register(email).await;
    assert_eq!(response.status, 201, "{response}");
}

/// Ends the minute for which a mail that was being sent is left alone.
async fn end_lease(pool: &PgPool) {
    let update = "update outbox set next_attempt_at = now() where given_up_at is null";
    sqlx::query(update).execute(pool).await.expect("an update");
}

async fn waiting(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from outbox").fetch_one(pool).await.expect("a count")
}

#[tokio::test]
async fn no_mail_is_lost_when_the_companion_is_killed_at_any_step() {
    let keys = tempfile::tempdir().expect("a folder");
    assert!(edgeward(keys.path()).args(["keys", "generate"]).status().expect("a command").success());
    let database = database::fresh().await;
    let (pool, inbox) = (database.pool(), Inbox::start(0).expect("free ports"));
    for (before, step) in Step::ALL.into_iter().enumerate() {
        inbox.fail(Fault::Hang(step));
        let service = start(&database, keys.path(), &inbox);
        register(&service, &format!("{step:?}@example.com").to_lowercase()).await;
        until("the mail server hangs", async || inbox.hung() > before).await;
        // SIGKILL.
        drop(service);
    }
    // Before the job finds the mail: it looks once a second, and one may win.
    let service = start(&database, keys.path(), &inbox);
    register(&service, "atonce@example.com").await;
    drop(service);

    let service = start(&database, keys.path(), &inbox);
    until("all mails are sent", async || {
        end_lease(&pool).await;
        waiting(&pool).await == 0
    })
    .await;
    let internal = reqwest::get(format!("http://{}/metrics", service.internal)).await.expect("metrics");
    let metrics = internal.text().await.expect("metrics");
    let repeated: u32 = metrics
        .lines()
        .filter(|line| line.starts_with("edgeward_mails_repeated_total"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u32>().ok())
        .sum();

    let mut copies: BTreeMap<String, usize> = BTreeMap::new();
    for mail in inbox.mails() {
        *copies.entry(mail.to).or_default() += 1;
    }
    let names: Vec<_> = copies.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["atonce@example.com", "content@example.com", "greeting@example.com", "reply@example.com"]
    );
    let duplicates: usize = copies.values().map(|count| count - 1).sum();
    println!(
        "4 mails, 4 kills: {duplicates} sent twice, {repeated} reported as perhaps sent twice ({copies:?})"
    );
    assert!(copies["reply@example.com"] >= 2, "the one that was taken without a reply");
    assert!(usize::try_from(repeated).expect("few") >= duplicates, "{metrics}");
    let ids = inbox.mails().into_iter().map(|mail| (mail.id, mail.to)).collect::<BTreeMap<_, _>>();
    assert_eq!(ids.len(), copies.len(), "a mail has one Message-ID");
}
