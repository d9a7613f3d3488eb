//! Second factors on the pages, without JavaScript.

use edgeward_kit::api::{Api, App};
use edgeward_kit::client::{Client, PASSWORD, Response};

const ADA: &str = "ada@example.com";
const SIGN_IN: &str = "/auth/sign-in?return_to=%2Forders";

/// Returns the value of the first hidden field of a page with this name.
fn hidden(page: &Response, name: &str) -> String {
    let after = page.text.split(&format!("name=\"{name}\" value=\"")).nth(1);
    after.and_then(|after| after.split('"').next()).expect("a field").to_owned()
}

/// Returns the key that a page shows, without its blanks.
fn key(page: &Response) -> String {
    let after = page.text.split("<code class=\"key\">").nth(1).and_then(|after| after.split('<').next());
    after.expect("a key").replace(' ', "")
}

/// Signs in with the password, and returns the page of the second step.
async fn sign_in(client: &mut Client) -> Response {
    let sent = client.submit(SIGN_IN, SIGN_IN, &[("email", ADA), ("password", PASSWORD)]).await;
    assert_eq!((sent.status, sent.header("location")), (303, "/auth/factor?return_to=%2Forders"), "{sent}");
    client.get("/auth/factor?return_to=%2Forders").await
}

#[tokio::test]
async fn app_is_added_on_the_account_page_and_asked_for_at_the_sign_in() {
    let api = Api::start().await;
    let mut ada = api.registered(ADA).await;
    let begun = ada.submit("/auth/account", "/auth/account/factors/totp", &[]).await;
    assert_eq!(begun.status, 200, "{begun}");
    assert!(begun.text.contains("<svg class=\"qr\""), "{begun}");
    let (app, token) = (App::new(&key(&begun)), hidden(&begun, "token"));
    let confirm = "/auth/account/factors/totp/confirm";
    let fields =
        |code: &str| [("token", token.clone()), ("code", code.to_owned()), ("name", "Phone".to_owned())];
    let as_fields = |owned: &[(&'static str, String); 3]| {
        owned.iter().map(|(name, value)| (*name, value.clone())).collect::<Vec<_>>()
    };
    for (code, status, text) in
        [("000000", 400, "This code is wrong."), (&app.code(&api), 200, "<ol class=\"codes\">")]
    {
        let owned = as_fields(&fields(code));
        let fields: Vec<_> = owned.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = ada.submit("/auth/account", confirm, &fields).await;
        assert_eq!(page.status, status, "{page}");
        assert!(page.text.contains(text), "{text} in {page}");
    }
    let account = ada.get("/auth/account").await;
    assert!(account.text.contains("<strong>Phone</strong>") && account.text.contains("10 left"), "{account}");

    let mut browser = api.client();
    let page = sign_in(&mut browser).await;
    assert_eq!(page.status, 200);
    browser.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
    let path = "/auth/factor?return_to=%2Forders";
    let wrong = browser.submit(path, path, &[("code", "000000")]).await;
    assert_eq!(wrong.status, 401, "{wrong}");
    let code = app.next_code(&api);
    let done = browser.submit(path, path, &[("code", &code)]).await;
    assert_eq!((done.status, done.header("location")), (303, "/orders"), "{done}");
    assert_eq!(browser.get("/api/auth/self").await.status, 200);
    assert!(!browser.cookies.contains_key("edgeward_pending_login"), "{:?}", browser.cookies);
}

#[tokio::test]
async fn second_step_without_a_first_one_leads_back_to_it() {
    let api = Api::start().await;
    let back = "/auth/sign-in?return_to=%2Forders&expired=";
    let path = "/auth/factor?return_to=%2Forders";
    let page = api.client().get(path).await;
    assert_eq!((page.status, page.header("location")), (303, back));
    let (_, _) = api.registered_with_app(ADA).await;
    let mut browser = api.client();
    let page = sign_in(&mut browser).await;
    let token = page.form_token();
    api.clock.advance(time::Duration::minutes(10));
    let form = browser.form(path, &[("form_token", &token), ("code", "000000")]);
    let sent = browser.send(form).await;
    assert_eq!((sent.status, sent.header("location")), (303, back), "{sent}");
    assert!(browser.get(back).await.text.contains("Your sign-in has expired."));
}

#[tokio::test]
async fn form_of_another_site_completes_no_sign_in() {
    let api = Api::start().await;
    let (_, app) = api.registered_with_app(ADA).await;
    let mut browser = api.client();
    sign_in(&mut browser).await;
    let code = app.next_code(&api);
    let form = browser.form("/auth/factor", &[("code", &code)]);
    assert_eq!(browser.send(form).await.status, 403);
    browser.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
}

#[tokio::test]
async fn factor_is_renamed_and_removed_and_an_administrator_resets_it() {
    let api = Api::start().await;
    let (mut ada, app) = api.registered_with_app(ADA).await;
    ada.confirm(&app.next_code(&api)).await;
    let path = "/auth/account/factors";
    let fields = |change, name| [("id", "1"), ("change", change), ("name", name)];
    let renamed = ada.submit("/auth/account", path, &fields("rename", "Old phone")).await;
    assert_eq!(renamed.header("location"), "/auth/account?done=factor_renamed", "{renamed}");
    assert!(ada.get("/auth/account").await.text.contains("<strong>Old phone</strong>"));
    let codes = ada.submit("/auth/account", "/auth/account/factors/recovery-codes", &[]).await;
    assert!(codes.text.contains("<ol class=\"codes\">"), "{codes}");
    let mut root = api.admin("root@example.com").await;
    let page = root.get("/auth/admin/users/1").await;
    assert!(page.text.contains("<strong>Old phone</strong>"), "{page}");
    let reset = root.submit("/auth/admin/users/1", "/auth/admin/users/1", &[("change", "factors")]).await;
    assert_eq!(reset.status, 303, "{reset}");
    assert_eq!(ada.get("/auth/account").await.status, 303, "the session has ended");
    assert_eq!(ada.login(ADA, PASSWORD).await.status, 200);
    assert!(ada.get("/auth/account").await.text.contains("Your password alone signs in."));

    let app = api.add_app(&mut ada).await;
    ada.confirm(&app.next_code(&api)).await;
    let removed = ada.submit("/auth/account", path, &[("id", "2"), ("change", "remove")]).await;
    assert_eq!(removed.header("location"), "/auth/account?done=factor_removed", "{removed}");
}
