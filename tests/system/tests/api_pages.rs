//! Login page, its script and its style sheet.

use edgeward_kit::api::Api;

#[tokio::test]
async fn login_page_leads_only_to_our_pages_and_runs_only_our_script() {
    let api = Api::start().await;
    for (query, shown) in [
        ("", "/"),
        ("?return_to=%2Forders%3Fpage%3D2", "/orders?page=2"),
        ("?return_to=https%3A%2F%2Fevil.example", "/"),
        ("?return_to=%2F%2Fevil.example", "/"),
        ("?return_to=%2F%5Cevil.example", "/"),
        ("?return_to=%2F%22%3E%3Cscript%3E", "/&#34;&#62;&#60;script&#62;"),
        ("?return_to=/a&return_to=/b", "/"),
        ("?return_to=%ff", "/"),
        ("?return_to=%2Forders&register=", "/orders"),
        ("?return_to=%2Flogin%3Freturn_to%3D%2Flogin", "/"),
        ("?return_to=%2Flogin%2F", "/"),
    ] {
        let response = api.client().get(&format!("/login{query}")).await;
        assert_eq!(response.status, 200, "{query}");
        let expected = format!(r#"<body data-api="/api" data-return-to="{shown}">"#);
        assert!(response.text.contains(&expected), "{query} {}", response.text);
        let policy = response.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(response.header("referrer-policy"), "no-referrer");
        assert_eq!(response.header("x-content-type-options"), "nosniff");
    }
    for (path, kind) in
        [("/login.js", "text/javascript; charset=utf-8"), ("/login.css", "text/css; charset=utf-8")]
    {
        let response = api.client().get(path).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.header("content-type"), kind);
    }
}

#[tokio::test]
async fn login_page_with_a_slash_redirects_to_the_one_without() {
    let api = Api::start().await;
    for (path, location) in [
        ("/login/", "/login"),
        ("/login/?return_to=%2Forders%3Fpage%3D2&register", "/login?return_to=%2Forders%3Fpage%3D2&register"),
    ] {
        let response = api.client().get(path).await;
        assert_eq!(response.status, 308, "{path}");
        assert_eq!(response.header("location"), location);
    }
}

/// The fragment belongs to the requested page. Only a browser runs the script; this test rejects a page that chooses its
/// form by the fragment, and a script that redirects without it.
#[tokio::test]
async fn login_page_keeps_the_fragment_for_the_requested_page() {
    let api = Api::start().await;
    let page = api.client().get("/login").await.text;
    assert!(page.contains(r#"href="?register""#) && !page.contains("href=\"#"), "{page}");
    let script = api.client().get("/login.js").await.text;
    assert_eq!(script.matches("location.hash").count(), 1, "{script}");
    assert!(script.contains("returnTo + window.location.hash"), "{script}");
    for way in ["location.assign(target)", "location.replace(target)"] {
        assert!(script.contains(way), "{way} in {script}");
    }
    assert!(!script.contains("hashchange") && !script.contains("assign(returnTo)"), "{script}");
}
