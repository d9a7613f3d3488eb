//! Pages for people: what surrounds every one of them, where they lead, how the settings change them, and the well-known
//! addresses.

use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, PASSWORD, Response};
use reqwest::Method;

const ADA: &str = "ada@example.com";
/// Pages that everybody may see.
const OPEN: [&str; 3] = ["/auth/sign-in", "/auth/register", "/auth/signed-out"];

/// Fails unless a response is a page whose browser loads our own files alone, and runs and shows nothing inline.
fn assert_strict(page: &Response) {
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{page}");
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(policy.contains("base-uri 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("form-action 'self'; ") && !policy.contains("http"), "{policy}");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(page.header(name), value, "{name}");
    }
    let html = &page.text;
    for inline in [" style=", "<style", "<script>", " onclick=", " onload=", " onsubmit=", "javascript:"] {
        assert!(!html.contains(inline), "{inline} in {html}");
    }
    for attribute in [" src=\"", " href=\"", " action=\""] {
        for address in html.split(attribute).skip(1).filter_map(|after| after.split('"').next()) {
            let is_ours = address.starts_with('/') && !address.starts_with("//");
            assert!(is_ours || address.starts_with(['#', '?']), "{address} in {html}");
        }
    }
}

/// Gets a page in a language.
async fn get_in(client: &mut Client, path: &str, language: &str) -> Response {
    client.call(Method::GET, path, &[("accept-language", language)]).await
}

#[tokio::test]
async fn every_page_is_strict_and_is_not_stored() {
    let api = Api::start().await;
    let mut admin = api.admin(ADA).await;
    for path in OPEN {
        assert_strict(&api.client().get(path).await);
    }
    for path in ["/auth/account", "/auth/admin/users", "/auth/admin/users/1", "/auth/admin/audit"] {
        let page = admin.get(path).await;
        assert_eq!(page.status, 200, "{path} {page}");
        assert_strict(&page);
    }
    let forged = api.client().form("/auth/sign-in", &[]);
    let rejected = api.client().send(forged).await;
    assert_eq!(rejected.status, 403);
    assert_strict(&rejected);
    let mut user = api.registered("bob@example.com").await;
    let not_allowed = user.get("/auth/admin/users").await;
    assert_eq!(not_allowed.status, 403);
    assert_strict(&not_allowed);
}

#[tokio::test]
async fn browsers_are_told_to_stay_on_https_where_there_is_tls() {
    for (environment, expected) in [("test", "max-age=63072000"), ("dev", "")] {
        let api = Api::start_with(&[("APP_ENV", environment)]).await;
        for path in OPEN {
            let page = api.client().get(path).await;
            assert_eq!(page.header("strict-transport-security"), expected, "{environment} {path}");
        }
    }
}

#[tokio::test]
async fn files_of_the_pages_are_stored_and_change_with_their_address() {
    let api = Api::start().await;
    let page = api.client().get("/auth/sign-in").await.text;
    for (before, kind) in
        [("<link rel=\"stylesheet\" href=\"", "text/css"), ("<script src=\"", "text/javascript")]
    {
        let address =
            page.split(before).nth(1).and_then(|after| after.split('"').next()).expect("an address");
        let file = api.client().get(address).await;
        assert_eq!(file.status, 200, "{address}");
        assert_eq!(file.header("content-type"), format!("{kind}; charset=utf-8"));
        assert!(file.header("cache-control").contains("immutable"), "{file}");
        assert_eq!(file.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn login_leads_to_the_page_that_signs_in_with_its_query() {
    let api = Api::start().await;
    for (path, expected) in [
        ("/login", "/auth/sign-in"),
        ("/login/", "/auth/sign-in"),
        ("/login?return_to=%2Forders%3Fpage%3D2", "/auth/sign-in?return_to=%2Forders%3Fpage%3D2"),
        ("/login?register", "/auth/register?register"),
        ("/login/?return_to=%2Fa&register", "/auth/register?return_to=%2Fa&register"),
    ] {
        let response = api.client().get(path).await;
        assert_eq!((response.status, response.header("location")), (303, expected), "{path}");
    }
}

#[tokio::test]
async fn visitor_of_a_page_for_users_is_led_to_sign_in_and_back() {
    let api = Api::start().await;
    for (path, expected) in [
        ("/auth/account", "/auth/sign-in?return_to=%2Fauth%2Faccount"),
        ("/auth/admin/users?page=2", "/auth/sign-in?return_to=%2Fauth%2Fadmin%2Fusers%3Fpage%3D2"),
    ] {
        let response = api.client().get(path).await;
        assert_eq!((response.status, response.header("location")), (303, expected), "{path}");
        assert!(response.text.is_empty(), "{response}");
    }
}

#[tokio::test]
async fn nobody_is_led_to_another_site_after_signing_in() {
    let api = Api::start().await;
    api.registered(ADA).await;
    for (return_to, expected) in [
        ("%2Forders%3Fpage%3D2", "/orders?page=2"),
        ("", "/"),
        ("orders", "/"),
        ("https%3A%2F%2Fevil.example", "/"),
        ("%2F%2Fevil.example", "/"),
        ("%2F%5Cevil.example", "/"),
        ("%5C%5Cevil.example", "/"),
        ("%2F%09%2Fevil.example", "/"),
        ("%2F%0D%0Alocation%3A%20https%3A%2F%2Fevil.example", "/"),
        ("javascript%3Aalert(1)", "/"),
        ("data%3Atext%2Fhtml%2C1", "/"),
        ("%20%2Forders", "/"),
        ("%ff", "/"),
        ("/a&return_to=/b", "/"),
    ] {
        let page = format!("/auth/sign-in?return_to={return_to}");
        let response = api.client().submit(&page, &page, &[("email", ADA), ("password", PASSWORD)]).await;
        assert_eq!((response.status, response.header("location")), (303, expected), "{return_to}");
        let page = format!("/auth/register?return_to={return_to}");
        let shown = api.client().get(&page).await;
        assert_strict(&shown);
    }
}

#[tokio::test]
async fn pages_that_are_turned_off_are_not_found() {
    const ALL: [(&str, &[&str]); 4] = [
        ("sign-in", &["/auth/sign-in", "/login", "/login/"]),
        ("register", &["/auth/register"]),
        ("account", &["/auth/account", "/.well-known/change-password"]),
        ("admin", &["/auth/admin/users", "/auth/admin/users/1", "/auth/admin/audit"]),
    ];
    for off in
        [&["sign-in"][..], &["register", "admin"], &["account"], &["sign-in", "register", "account", "admin"]]
    {
        let api = Api::start_with(&[("PAGES_OFF", &off.join(","))]).await;
        let mut admin = api.admin(ADA).await;
        for (name, paths) in ALL {
            for path in paths {
                let response = admin.get(path).await;
                assert_eq!(response.status == 404, off.contains(&name), "{path} without {off:?}: {response}");
            }
        }
    }
}

#[tokio::test]
async fn form_may_lead_on_to_the_front_ends_of_the_setting() {
    let api = Api::start_with(&[("CLIENT_UI_DOMAIN", "https://app.example.com")]).await;
    let page = api.client().get("/auth/sign-in").await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https://app.example.com; "), "{policy}");
    assert_eq!(policy.matches("http").count(), 1, "{policy}");
}

#[tokio::test]
async fn pages_are_below_the_path_of_the_setting() {
    let api = Api::start_with(&[("PAGES_PATH", "/members")]).await;
    let page = api.client().get("/members/sign-in").await;
    assert_strict(&page);
    assert!(!page.text.contains("\"/auth"), "{page}");
    assert_eq!(api.client().get("/auth/sign-in").await.status, 404);
    assert_eq!(api.client().get("/login").await.header("location"), "/members/sign-in");
    let password = api.client().get("/.well-known/change-password").await;
    assert_eq!(password.header("location"), "/members/account#change-password");
}

#[tokio::test]
async fn language_is_the_visitors_or_that_of_the_setting() {
    for (setting, accepted, expected) in [
        ("auto", "de-AT, en;q=0.5", "de"),
        ("auto", "fr", "en"),
        ("auto", "", "en"),
        ("de", "en", "de"),
        ("en", "de", "en"),
    ] {
        let api = Api::start_with(&[("PAGES_LANGUAGE", setting)]).await;
        for path in OPEN {
            let page = get_in(&mut api.client(), path, accepted).await;
            assert!(page.text.contains(&format!("<html lang=\"{expected}\"")), "{setting} {accepted} {page}");
            assert!(page.header("vary").contains("accept-language"), "{page}");
        }
    }
}

#[tokio::test]
async fn texts_of_the_settings_are_shown_as_text() {
    let api = Api::start_with(&[
        ("SITE_NAME", "<b>Shop & Co"),
        ("SITE_COLOR", "#7a1fbf"),
        ("SITE_LINKS", "Imprint <i>=/imprint?a=1&b=\"2, Help=/help"),
    ])
    .await;
    let page = api.client().get("/auth/sign-in").await.text;
    for escaped in ["&#60;b&#62;Shop &#38; Co", "Imprint &#60;i&#62;", "/imprint?a=1&#38;b=&#34;2"] {
        assert!(page.contains(escaped), "{escaped} in {page}");
    }
    assert!(!page.contains("<b>") && !page.contains("<i>"), "{page}");
    let style = page.split("rel=\"stylesheet\" href=\"").nth(1).and_then(|after| after.split('"').next());
    assert!(api.client().get(style.expect("an address")).await.text.contains("#7a1fbf"));
}

#[tokio::test]
async fn markup_that_visitors_send_is_shown_as_text() {
    const MARKUP: &str = "\"><script>alert(1)</script>'&";
    let api = Api::start().await;
    let typed = [("firstName", MARKUP), ("lastName", MARKUP), ("email", MARKUP), ("password", MARKUP)];
    for page in ["/auth/sign-in", "/auth/register"] {
        let shown = api.client().submit(page, page, &typed).await;
        assert_eq!(shown.status, 400, "{shown}");
        assert_strict(&shown);
        assert!(shown.text.contains("&#34;&#62;&#60;script&#62;"), "{shown}");
    }
    let names = [("firstName", MARKUP), ("lastName", MARKUP), ("email", ADA), ("password", PASSWORD)];
    let mut ada = api.client();
    let token = ada.get("/auth/register").await.form_token();
    let fields = [&[("form_token", token.as_str())], &names[..]].concat();
    let request = ada.form("/auth/register", &fields).header("user-agent", MARKUP);
    assert_eq!(ada.send(request).await.status, 303);
    api.set_role(ADA, "admin").await;
    for path in ["/auth/account", "/auth/admin/users", "/auth/admin/users/1", "/auth/admin/audit"] {
        let page = ada.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_strict(&page);
    }
    for query in ["?search=%22%3E%3Cscript%3E", "?done=%22%3E%3Cscript%3E", "?return_to=%22%3E%3Cscript%3E"] {
        for path in ["/auth/sign-in", "/auth/register", "/auth/account", "/auth/admin/users"] {
            assert_strict(&ada.get(&format!("{path}{query}")).await);
        }
    }
}

#[tokio::test]
async fn security_txt_has_the_contact_of_the_setting() {
    let api = Api::start_with(&[("SECURITY_CONTACT", "mailto:security@example.com")]).await;
    let response = api.client().get("/.well-known/security.txt").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(response.text, "Contact: mailto:security@example.com\nExpires: 2030-06-30T00:00:00Z\n");
    let none = Api::start().await.client().get("/.well-known/security.txt").await;
    none.assert_rejected(404, "not_found");
}

#[tokio::test]
async fn well_known_address_leads_to_the_form_that_changes_a_password() {
    let api = Api::start().await;
    let response = api.client().get("/.well-known/change-password").await;
    assert_eq!((response.status, response.header("location")), (303, "/auth/account#change-password"));
    let page = api.registered(ADA).await.get("/auth/account").await;
    assert!(page.text.contains("id=\"change-password\""), "{page}");
}
