//! Mails about second factors: every change of them, and wrong codes of somebody who knows the password.

use edgeward_kit::api::{Api, App, PASSKEYS};
use edgeward_kit::client::{Client, PASSWORD, Response};
use edgeward_kit::command;
use edgeward_stack::inbox::{Inbox, Mail};
use serde_json::json;
use time::Duration;

const ADA: &str = "ada@example.com";
const OTHER_MAILS: (&str, &str) = ("MAIL_OFF", "verification,new-sign-in");

async fn start(settings: &[(&str, &str)]) -> (Api, Inbox, Client, App) {
    let (api, inbox) = Api::start_with_mail(&[&[OTHER_MAILS][..], settings].concat()).await;
    let (client, app) = api.registered_with_app(ADA).await;
    (api, inbox, client, app)
}

/// Delivers the mails, and returns the first line of each and of all before.
async fn told(api: &Api, inbox: &Inbox) -> Vec<String> {
    api.deliver().await;
    let first = |mail: Mail| mail.text.lines().next().unwrap_or_default().to_owned();
    inbox.mails().into_iter().map(first).collect()
}

#[tokio::test]
async fn every_change_of_factors_is_told() {
    let (api, inbox, mut ada, app) = start(&[]).await;
    ada.confirm(&app.next_code(&api)).await;
    assert_eq!(ada.post("/api/auth/factors/recovery-codes").await.status, 201);
    api.add_app(&mut ada).await;
    assert_eq!(ada.delete("/api/auth/factors/1").await.status, 200);
    let expected = [
        "An authenticator app was added to your account at Edgeward (2030-01-01 00:00 UTC).",
        "New recovery codes replace the former ones of your account at Edgeward (2030-01-01 00:00 UTC).",
        "An authenticator app was added to your account at Edgeward (2030-01-01 00:00 UTC).",
        "An authenticator app was removed from your account at Edgeward (2030-01-01 00:00 UTC).",
    ];
    assert_eq!(told(&api, &inbox).await, expected);
    let mail = inbox.mails().pop().expect("a mail");
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        (ADA, "Edgeward: your ways to sign in were changed")
    );
    let link = mail.link().expect("a link");
    assert!(link.starts_with("https://app.example/auth/mail/disown_sign_in?token="), "{link}");
    assert!(mail.html.contains("An authenticator app was removed"), "{mail:?}");
}

#[tokio::test]
async fn use_of_a_recovery_code_is_told() {
    let (api, inbox, _, app) = start(&[]).await;
    let mut client = api.client();
    let token = client.begin_login(ADA).await;
    assert_eq!(client.complete_login(&token, &app.recovery_codes[0]).await.status, 200);
    let last = told(&api, &inbox).await.pop().expect("a mail");
    assert_eq!(last, "A recovery code of your account at Edgeward was used (2030-01-01 00:00 UTC).");
}

#[tokio::test]
async fn reset_by_others_is_told() {
    let (api, inbox, _, _) = start(&[]).await;
    let mut root = api.admin("root@example.com").await;
    assert_eq!(root.delete("/api/admin/users/1/factors").await.status, 200);
    let removed = "All second factors and recovery codes were removed from your account at Edgeward";
    assert!(told(&api, &inbox).await[1].starts_with(removed), "{:?}", inbox.mails());
    assert_eq!(inbox.mails()[1].to, ADA);

    // A command writes mails if it has the settings, and a service delivers them.
    let mut bob = api.registered("bob@example.com").await;
    api.add_app(&mut bob).await;
    assert_eq!(told(&api, &inbox).await.len(), 3);
    let settings = inbox.settings("https://app.example");
    let settings = settings.each_ref().map(|(name, value)| (name.as_str(), value.as_str()));
    let command = command::start(&api.database.url, &settings, &["user", "reset-factors", "bob@example.com"]);
    let output = command::finish(command, "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    api.clock.catch_up();
    assert!(told(&api, &inbox).await[3].starts_with(removed), "{:?}", inbox.mails());
    // It has no secret that seals a link.
    assert_eq!(inbox.mails()[3].link(), Some("https://app.example/auth/forgot-password"));
}

#[tokio::test]
async fn reset_of_recovery_codes_alone_is_told_and_that_of_nothing_is_not() {
    let (api, inbox, _, _) = start(&[]).await;
    sqlx::query("delete from factors").execute(&api.pool).await.expect("no factors");
    let mut root = api.admin("root@example.com").await;
    for _ in 0..2 {
        assert_eq!(root.delete("/api/admin/users/1/factors").await.status, 200);
        assert_eq!(told(&api, &inbox).await.len(), 2);
    }
}

/// Uses the link of the last mail.
async fn disown_last(api: &Api, inbox: &Inbox) -> Response {
    api.deliver().await;
    api.confirm_mail("disown_sign_in", &inbox.mails().pop().expect("a mail")).await
}

#[tokio::test]
async fn factor_of_a_stolen_session_is_removed_by_the_link_of_its_mail() {
    let (api, inbox) = Api::start_with_mail(&[OTHER_MAILS]).await;
    let mut ada = api.registered(ADA).await;
    let mut thief = ada.clone();
    api.clock.start();
    api.add_app(&mut thief).await;
    assert_eq!(disown_last(&api, &inbox).await.status, 200);
    assert_eq!(api.count("select count(*) from factors").await, 0);
    assert_eq!(api.count("select count(*) from recovery_codes").await, 0);
    ada.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
    thief.refresh().await.assert_rejected(401, "not_signed_in");
    assert_eq!(api.client().login(ADA, PASSWORD).await.status, 401, "the password is gone");
    let disowned = "select session_id from audit_log where event = 'sign_in_disowned'";
    assert_eq!(api.count(disowned).await, 1, "the session that has added it");
}

#[tokio::test]
async fn disowned_change_of_factors_leaves_those_of_other_sessions() {
    let (api, inbox, _, app) = start(&[]).await;
    let mut thief = api.client();
    let token = thief.begin_login(ADA).await;
    assert_eq!(thief.complete_login(&token, &app.next_code(&api)).await.status, 200);
    api.clock.start();
    api.add_app(&mut thief).await;
    assert_eq!(disown_last(&api, &inbox).await.status, 200);
    assert_eq!(api.count("select sum(id)::bigint from factors").await, 1, "the first app");
    assert_eq!(api.count("select count(*) from recovery_codes").await, 10);
}

#[tokio::test]
async fn owner_of_an_address_throws_out_the_stranger_who_registered_it() {
    let (api, inbox) = Api::start_with_mail(&[("MAIL_OFF", "new-sign-in")]).await;
    let (mut stranger, _) = api.registered_with_app(ADA).await;
    api.deliver().await;
    // By mistake: from here on, a reset alone would leave the factor.
    assert_eq!(api.confirm_mail("verify_email", &inbox.mails()[0]).await.status, 200);
    assert_eq!(disown_last(&api, &inbox).await.status, 200);
    stranger.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
    let reset = api.reset_requested(&inbox, ADA).await;
    let body = reset.by_link("another horse battery");
    assert_eq!(api.client().post_json("/api/auth/password-reset/confirm", &body).await.status, 200);
    assert_eq!(api.client().login(ADA, "another horse battery").await.status, 200);
}

#[tokio::test]
async fn reset_that_its_user_disowns_ends_everything() {
    let (api, inbox, _, _) = start(&[]).await;
    let mut root = api.admin("root@example.com").await;
    assert_eq!(root.delete("/api/admin/users/1/factors").await.status, 200);
    let mut impostor = api.client();
    assert_eq!(impostor.login(ADA, PASSWORD).await.status, 200);
    assert_eq!(disown_last(&api, &inbox).await.status, 200);
    impostor.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
    assert_eq!(api.client().login(ADA, PASSWORD).await.status, 401);
}

#[tokio::test]
async fn several_wrong_codes_behind_the_password_are_told_once_a_day() {
    let (api, inbox, mut ada, _) = start(&[("LIMIT_ACCOUNT", "1000/1h")]).await;
    let mut thief = api.client_from("203.0.113.9");
    let token = thief.begin_login(ADA).await;
    for _ in 0..4 {
        thief.complete_login(&token, "000000").await.assert_rejected(401, "factor_wrong");
    }
    assert_eq!(told(&api, &inbox).await.len(), 1, "people mistype");
    for code in ["000000", "000000", "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"] {
        thief.complete_login(&token, code).await.assert_rejected(401, "factor_wrong");
    }
    let lines = told(&api, &inbox).await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    let mail = inbox.mails().pop().expect("a mail");
    assert_eq!(mail.subject, "Edgeward: somebody may know your password");
    assert!(mail.text.contains("Network: 203.0.113.0/24. Time: 2030-01-01 00:00 UTC."), "{mail:?}");

    // A thief with a session of the user's, too.
    api.clock.advance(Duration::DAY);
    for _ in 0..5 {
        ada.post_json("/api/auth/confirm", &json!({"password": PASSWORD, "code": "000000"}))
            .await
            .assert_rejected(401, "factor_wrong");
    }
    assert_eq!(told(&api, &inbox).await.len(), 3);
}

#[tokio::test]
async fn wrong_passkeys_behind_the_password_are_told_like_codes() {
    let (api, inbox) = Api::start_with_mail(&[&[OTHER_MAILS][..], &PASSKEYS].concat()).await;
    api.registered_with_passkey(ADA).await;
    let (_, mut own, _) = api.registered_with_passkey("thief@example.com").await;
    let mut thief = api.client_from("203.0.113.9");
    let token = thief.begin_login(ADA).await;
    for _ in 0..4 {
        thief.complete_login_with_passkey(&token, &mut own).await.assert_rejected(401, "passkey_wrong");
    }
    assert_eq!(told(&api, &inbox).await.len(), 2, "of the passkeys that were added");
    thief.complete_login(&token, "000000").await.assert_rejected(401, "factor_wrong");
    assert_eq!(told(&api, &inbox).await.len(), 3, "a code counts with them");
    let mail = inbox.mails().pop().expect("a mail");
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), (ADA, "Edgeward: somebody may know your password"));
}

#[tokio::test]
async fn mails_about_factors_can_be_turned_off() {
    let off = "verification,new-sign-in,factors-changed,wrong-codes";
    let (api, inbox, ..) = start(&[("MAIL_OFF", off)]).await;
    let mut thief = api.client();
    let token = thief.begin_login(ADA).await;
    for _ in 0..5 {
        thief.complete_login(&token, "000000").await.assert_rejected(401, "factor_wrong");
    }
    assert_eq!(told(&api, &inbox).await, [""; 0]);
}
