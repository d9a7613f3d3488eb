//! Outbox: mail servers that fail, and what becomes of the mails.

use edgeward_companion::service::mail::Delivery;
use edgeward_companion::service::maintenance;
use edgeward_kit::api::{Api, PUBLIC_URL, request_reset};
use edgeward_kit::command::run;
use edgeward_stack::inbox::{Fault, Inbox, Step};
use time::Duration;

const EMAIL: &str = "ada@example.com";

/// Starts an API with one mail in its outbox.
async fn with_one_mail() -> (Api, Inbox) {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    api.registered(EMAIL).await;
    assert_eq!(api.outbox().await, (1, 0));
    (api, inbox)
}

#[tokio::test]
async fn mail_that_a_server_does_not_take_now_is_sent_later() {
    for fault in [
        Fault::Close(Step::Greeting),
        Fault::Close(Step::Content),
        Fault::Busy,
        Fault::Refuse("530 5.7.0 authentication required\r\n"),
        Fault::Refuse("554 5.3.2 no service\r\n"),
    ] {
        let (api, inbox) = with_one_mail().await;
        inbox.fail(fault);
        api.deliver().await;
        assert_eq!((api.outbox().await, inbox.mails().len()), ((1, 0), 0), "{fault:?}");
        api.clock.advance(Duration::seconds(14));
        assert_eq!(api.deliver_one().await, Delivery::Idle, "{fault:?}");
        api.clock.advance(Duration::SECOND);
        api.deliver().await;
        assert_eq!((api.outbox().await, inbox.mails().len()), ((0, 0), 1), "{fault:?}");
    }
}

#[tokio::test]
async fn mail_that_was_taken_without_a_reply_is_sent_twice_with_one_message_id() {
    let (api, inbox) = with_one_mail().await;
    inbox.fail(Fault::Close(Step::Reply));
    api.deliver().await;
    api.clock.advance(Duration::MINUTE);
    api.deliver().await;
    let ids: Vec<_> = inbox.mails().into_iter().map(|mail| mail.id).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn mail_that_is_rejected_for_good_is_given_up_and_can_be_seen_and_retried() {
    let (api, inbox) = with_one_mail().await;
    inbox.fail(Fault::RejectRecipient);
    api.deliver().await;
    assert_eq!(api.outbox().await, (0, 1));
    let command = |arguments: &[&str]| {
        let output = run(&api.database.url, arguments, "");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let list = command(&["mail", "list"]);
    assert!(
        list.contains("verify_email") && list.contains(EMAIL) && list.contains("no such mailbox"),
        "{list}"
    );
    let metrics = api.internal().get("/metrics").await.text;
    assert!(metrics.contains("edgeward_mail_failures_total{kind=\"verify_email\"} 1"), "{metrics}");
    assert!(metrics.contains("edgeward_mails_given_up 1"), "{metrics}");

    // The command has the time of the machine, before which the mail was written.
    assert_eq!(command(&["mail", "retry"]), "mails that are tried again: 1\n");
    api.deliver().await;
    assert_eq!((api.outbox().await, inbox.mails().len()), ((0, 0), 1));
}

#[tokio::test]
async fn mail_whose_link_has_expired_is_given_up_and_its_link_forgotten() {
    let (api, inbox) = with_one_mail().await;
    for _ in 0..20 {
        inbox.fail(Fault::Busy);
        api.deliver().await;
        api.clock.advance(Duration::minutes(15));
    }
    assert_eq!((api.outbox().await, inbox.mails().len()), ((0, 1), 0));
    let attempts: i32 =
        sqlx::query_scalar("select attempts from outbox").fetch_one(&api.pool).await.expect("a mail");
    assert!((4..=8).contains(&attempts), "{attempts}");
    api.clock.advance(Duration::days(30));
    maintenance::delete_expired(&api.system()).await.expect("a database");
    assert_eq!(api.outbox().await, (0, 0));
    let tokens: i64 = sqlx::query_scalar("select count(*) from one_time_tokens")
        .fetch_one(&api.pool)
        .await
        .expect("a count");
    assert_eq!(tokens, 0);
}

#[tokio::test]
async fn several_companions_send_each_mail_once() {
    let (api, inbox) = Api::start_with_mail(&[("LIMIT_MAIL", "1000/1h")]).await;
    for number in 0..30 {
        api.registered(&format!("ada{number}@example.com")).await;
    }
    tokio::join!(api.deliver(), api.deliver(), api.deliver());
    let mut recipients: Vec<_> = inbox.mails().into_iter().map(|mail| mail.to).collect();
    recipients.sort();
    recipients.dedup();
    assert_eq!((recipients.len(), inbox.mails().len()), (30, 30));
}

#[tokio::test]
async fn change_that_fails_sends_no_mail() {
    let (api, inbox) = with_one_mail().await;
    let mut again = api.client();
    again.register(EMAIL).await.assert_rejected(409, "email_taken");
    assert_eq!(api.outbox().await, (1, 0));
    api.deliver().await;
    assert_eq!(inbox.mails().len(), 1);
}

// holds: promise 15
#[tokio::test]
async fn database_has_neither_links_nor_codes() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    api.registered(EMAIL).await;
    assert_eq!(request_reset(&mut api.client(), EMAIL).await.status, 202);
    let rows = "select string_agg(line, ' ') from
        (select outbox::text as line from outbox union all select one_time_tokens::text from one_time_tokens) rows";
    let rows: String = sqlx::query_scalar(rows).fetch_one(&api.pool).await.expect("rows");
    api.deliver().await;
    for mail in inbox.mails() {
        let (token, code) = (mail.token().expect("a link"), mail.code().expect("a code").replace(' ', ""));
        assert!(!rows.contains(token) && !rows.contains(&code), "{rows}");
    }
}

#[tokio::test]
async fn mail_server_without_tls_gets_nothing() {
    let inbox = Inbox::start(0).expect("free ports");
    let url = format!("smtps://127.0.0.1:{}", inbox.smtp);
    let mail = [("SMTP_URL", url.as_str()), ("MAIL_FROM", "a@example.com"), ("PUBLIC_URL", PUBLIC_URL)];
    let api = Api::start_with(&mail).await;
    api.registered(EMAIL).await;
    api.deliver().await;
    assert_eq!((api.outbox().await, inbox.mails().len()), ((1, 0), 0));
}
