//! Changes of an address: confirmed at the new one, undone from the former one.

use edgeward_kit::api::Api;
use edgeward_kit::client::PASSWORD;
use serde_json::json;
use time::Duration;

const EMAIL: &str = "ada@example.com";
const NEW_EMAIL: &str = "countess@example.com";
const NEW: &str = "a lantern for every window";

#[tokio::test]
async fn address_that_is_left_again_gets_no_way_back() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut ada = api.registered(EMAIL).await;
    assert_eq!(ada.request_email_change(NEW_EMAIL).await.status, 202);
    api.confirm_mail("change_email", &api.last_mail(&inbox, NEW_EMAIL).await).await;
    let undo = api.last_mail(&inbox, EMAIL).await;
    assert_eq!(ada.request_email_change("third@example.com").await.status, 202);
    api.confirm_mail("change_email", &api.last_mail(&inbox, "third@example.com").await).await;
    let of_second = api.last_mail(&inbox, NEW_EMAIL).await;
    assert_eq!(ada.request_email_change(EMAIL).await.status, 202);
    assert_eq!(api.confirm_mail("change_email", &api.last_mail(&inbox, EMAIL).await).await.status, 200);
    let told = api.last_mail(&inbox, "third@example.com").await;
    assert_eq!((told.subject.as_str(), told.link()), ("Edgeward: your e-mail address was changed", None));
    assert!(told.text.contains("was changed to ada@example.com"), "{told:?}");
    api.confirm_mail("undo_email", &of_second).await.assert_rejected(400, "link_invalid");

    // The same by the link, which is used from the address that the account has again.
    assert_eq!(ada.request_email_change(NEW_EMAIL).await.status, 202);
    api.confirm_mail("change_email", &api.last_mail(&inbox, NEW_EMAIL).await).await;
    assert_eq!(api.confirm_mail("undo_email", &undo).await.status, 200);
    assert_eq!(api.last_mail(&inbox, NEW_EMAIL).await.link(), None);
}

#[tokio::test]
async fn change_back_leaves_the_links_of_the_address_that_the_account_has() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut thief = api.registered(EMAIL).await;
    let mut links = Vec::new();
    for _ in 0..2 {
        for email in [NEW_EMAIL, EMAIL] {
            assert_eq!(thief.request_email_change(email).await.status, 202);
            api.confirm_mail("change_email", &api.last_mail(&inbox, email).await).await;
            links.push(api.last_mail(&inbox, EMAIL).await);
        }
        assert_eq!(api.client_from("203.0.113.9").login(EMAIL, PASSWORD).await.status, 200);
        links.push(api.last_mail(&inbox, EMAIL).await);
    }
    for (at, purpose) in [(2, "disown_sign_in"), (5, "disown_sign_in"), (3, "undo_email"), (0, "undo_email")]
    {
        assert_eq!(api.confirm_mail(purpose, &links[at]).await.status, 200, "{at}");
    }
}

#[tokio::test]
async fn former_address_is_kept_for_its_owner_as_long_as_the_link_counts() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut ada = api.registered(EMAIL).await;
    let mut other = api.registered("eve@example.com").await;
    assert_eq!(other.request_email_change(EMAIL).await.status, 202);
    let to_former = api.last_mail(&inbox, EMAIL).await;
    assert_eq!(ada.request_email_change(NEW_EMAIL).await.status, 202);
    api.confirm_mail("change_email", &api.last_mail(&inbox, NEW_EMAIL).await).await;
    let undo = api.last_mail(&inbox, EMAIL).await;
    api.client().register(EMAIL).await.assert_rejected(409, "email_taken");
    api.confirm_mail("change_email", &to_former).await.assert_rejected(409, "email_taken");
    assert_eq!(api.confirm_mail("undo_email", &undo).await.status, 200);

    // An address is the same in other letters, which SQL by hand may have stored.
    assert_eq!(other.request_email_change("e@example.com").await.status, 202);
    api.confirm_mail("change_email", &api.last_mail(&inbox, "e@example.com").await).await;
    let by_hand = "update one_time_tokens set email = 'Eve@Example.com' where email = 'eve@example.com'";
    sqlx::query(by_hand).execute(&api.pool).await.expect("a row");
    api.client().register("eve@example.com").await.assert_rejected(409, "email_taken");

    // Nobody waits for a user who is gone, or for a link that has expired.
    let mut bea = api.registered("bea@example.com").await;
    let mut cleo = api.registered("cleo@example.com").await;
    for (client, email) in [(&mut bea, "b@example.com"), (&mut cleo, "c@example.com")] {
        assert_eq!(client.request_email_change(email).await.status, 202);
        api.confirm_mail("change_email", &api.last_mail(&inbox, email).await).await;
    }
    sqlx::query("delete from users where email = 'b@example.com'").execute(&api.pool).await.expect("a row");
    assert_eq!(api.client().register("bea@example.com").await.status, 201);
    api.client().register("cleo@example.com").await.assert_rejected(409, "email_taken");
    api.clock.advance(Duration::hours(72));
    assert_eq!(api.client().register("cleo@example.com").await.status, 201);
}

#[tokio::test]
async fn stranger_who_registered_an_address_and_left_it_leaves_no_factor_to_its_owner() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let (mut stranger, app) = api.registered_with_app(EMAIL).await;
    api.clock.advance(Duration::hours(80));
    assert_eq!(stranger.refresh().await.status, 200);
    stranger.confirm(&app.code(&api)).await;
    assert_eq!(stranger.request_email_change(NEW_EMAIL).await.status, 202);
    api.confirm_mail("change_email", &api.last_mail(&inbox, NEW_EMAIL).await).await;
    assert_eq!(api.confirm_mail("undo_email", &api.last_mail(&inbox, EMAIL).await).await.status, 200);
    assert_eq!(
        api.count("select count(*) from factors").await,
        1,
        "older than the mail by more than 72 hours"
    );
    let reset = api.reset_requested(&inbox, EMAIL).await;
    let done = api.client().post_json("/api/auth/password-reset/confirm", &reset.by_link(NEW)).await;
    assert_eq!(done.status, 200, "{done}");
    assert_eq!(api.client().login(EMAIL, NEW).await.status, 200);
}

#[tokio::test]
async fn former_address_is_kept_from_a_registration_that_waits_for_the_change() {
    let (api, _) = Api::start_with_mail(&[]).await;
    api.registered(EMAIL).await;
    let mut change = api.pool.begin().await.expect("a transaction");
    for statement in [
        "update users set email = 'countess@example.com'",
        "insert into one_time_tokens (purpose, user_id, email, token_hash, created_at, expires_at)
         values ('undo_email', 1, 'ada@example.com', sha256(''), '2030-01-01', '2030-01-04')",
    ] {
        sqlx::query(statement).execute(&mut *change).await.expect("a change");
    }
    let mut client = api.client();
    let waiting = tokio::spawn(async move { client.register(EMAIL).await });
    api.wait_for_lock().await;
    change.commit().await.expect("a commit");
    waiting.await.expect("a response").assert_rejected(409, "email_taken");
}

#[tokio::test]
async fn former_address_undoes_the_change_for_72_hours_even_if_it_was_changed_again() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut thief = api.registered(EMAIL).await;
    assert_eq!(thief.request_email_change(NEW_EMAIL).await.status, 202);
    let first = api.last_mail(&inbox, NEW_EMAIL).await;
    assert_eq!(api.confirm_mail("change_email", &first).await.status, 200);
    assert_eq!(thief.request_email_change("third@example.com").await.status, 202);
    let second = api.last_mail(&inbox, "third@example.com").await;
    assert_eq!(api.confirm_mail("change_email", &second).await.status, 200);
    let (undo, thiefs) = (api.last_mail(&inbox, EMAIL).await, api.last_mail(&inbox, NEW_EMAIL).await);

    api.clock.advance(Duration::hours(72) - Duration::SECOND);
    assert_eq!(api.confirm_mail("undo_email", &undo).await.status, 200);
    api.confirm_mail("undo_email", &thiefs).await.assert_rejected(400, "link_invalid");
    thief.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
    assert_eq!(api.client().login(EMAIL, PASSWORD).await.status, 401, "the thief knows that password");
    let reset = api.reset_requested(&inbox, EMAIL).await;
    let done = api.client().post_json("/api/auth/password-reset/confirm", &reset.by_link(NEW)).await;
    assert_eq!(done.status, 200, "{done}");
    assert_eq!(api.client().login(EMAIL, NEW).await.status, 200);
}

#[tokio::test]
async fn undo_is_not_undone_by_an_older_link() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut thief = api.registered(EMAIL).await;
    let mut links = Vec::new();
    for email in [NEW_EMAIL, "third@example.com"] {
        assert_eq!(thief.request_email_change(email).await.status, 202);
        links.push(api.last_mail(&inbox, email).await);
    }
    assert_eq!(api.confirm_mail("change_email", &links[0]).await.status, 200);
    let undo = api.last_mail(&inbox, EMAIL).await;
    assert_eq!(api.confirm_mail("undo_email", &undo).await.status, 200);
    api.confirm_mail("change_email", &links[1]).await.assert_rejected(400, "link_invalid");
}

#[tokio::test]
async fn new_address_counts_once_it_is_confirmed_and_the_former_one_is_told() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut client = api.registered(EMAIL).await;
    let wrong = json!({"email": NEW_EMAIL, "password": NEW});
    client.post_json("/api/auth/email", &wrong).await.assert_rejected(401, "credentials_wrong");
    assert_eq!(client.request_email_change(NEW_EMAIL).await.status, 202);
    let mail = api.last_mail(&inbox, NEW_EMAIL).await;
    assert_eq!(api.client().login(EMAIL, PASSWORD).await.status, 200, "the former one until then");
    assert_eq!(api.client().login(NEW_EMAIL, PASSWORD).await.status, 401);
    assert_eq!(api.confirm_mail("change_email", &mail).await.status, 200);
    assert_eq!(api.client().login(NEW_EMAIL, PASSWORD).await.status, 200);
    assert_eq!(api.client().login(EMAIL, PASSWORD).await.status, 401);
    assert_eq!(client.get("/api/auth/self").await.body["user"]["email"], NEW_EMAIL);
    let notice = api.last_mail(&inbox, EMAIL).await;
    assert_eq!(notice.subject, "Edgeward: your e-mail address was changed");
    assert!(notice.text.contains(NEW_EMAIL), "{notice:?}");
}

#[tokio::test]
async fn address_of_another_user_cannot_be_taken() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut client = api.registered(EMAIL).await;
    api.registered(NEW_EMAIL).await;
    assert_eq!(client.request_email_change(NEW_EMAIL).await.status, 202, "nobody learns that it is known");
    let mail = api.last_mail(&inbox, NEW_EMAIL).await;
    api.confirm_mail("change_email", &mail).await.assert_rejected(409, "email_taken");
    assert_eq!(api.client().login(EMAIL, PASSWORD).await.status, 200);
}
