//! The OpenAPI document, the page that shows it, and the TypeScript client that is made from it.

use std::fs;
use std::process::Command;

use edgeward_companion::domain::account::email::Email;
use edgeward_companion::domain::account::name::Name;
use edgeward_kit::api::Api;
use edgeward_stack::paths;
use serde_json::{Value, json};

#[tokio::test]
async fn api_describes_itself_to_programs_and_to_people() {
    let api = Api::start_with(&[("BASE_PATH", "/v1")]).await;
    let document = api.client().get("/v1/openapi.json").await;
    assert_eq!(document.header("content-type"), "application/json");
    assert_eq!(document.body["openapi"], "3.1.0");
    let paths = document.body["paths"].as_object().expect("paths");
    assert!(paths.contains_key("/v1/auth/login") && paths.contains_key("/.well-known/jwks.json"));

    let page = api.client().get("/v1/docs").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text.contains("/v1/auth/login") && page.text.contains("/v1/docs/style.css"));
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self';") && !policy.contains("unsafe"),
        "{policy}"
    );
    let style = api.client().get("/v1/docs/style.css").await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
}

#[tokio::test]
async fn every_described_operation_has_its_route_and_its_methods() {
    let api = Api::start().await;
    let document = api.client().get("/api/openapi.json").await.body;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let response = api.client().call(reqwest::Method::PATCH, &path.replace("{id}", "1"), &[]).await;
        let mut described: Vec<_> =
            item.as_object().expect("methods").keys().map(|m| m.to_uppercase()).collect();
        if described.contains(&"PATCH".to_owned()) {
            continue;
        }
        assert_eq!(response.status, 405, "{path}");
        let mut allowed: Vec<_> = response.header("allow").split(',').map(str::to_owned).collect();
        allowed.retain(|method| method != "HEAD");
        described.sort();
        allowed.sort();
        assert_eq!(allowed, described, "{path}");
    }
}

#[test]
fn schemas_of_typed_fields_accept_what_the_domain_accepts() {
    let document = fs::read_to_string(paths::root().join("docs/reference/openapi.json")).expect("a document");
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let fields = &document["components"]["schemas"]["Registration"]["properties"];
    let [local, label] = ["l".repeat(64), "a".repeat(63)];
    let domain = format!("{label}.{label}.{}.com", "c".repeat(57));
    for (field, texts) in [
        (
            "email",
            vec![
                "ada@example.com".to_owned(),
                " \u{feff}Ada.Lovelace+news@EXAMPLE.co.uk\u{200b}\n".to_owned(),
                "a@b.c0m".to_owned(),
                "a@b.0-0".to_owned(),
                "0@0.0".to_owned(),
                "0@0.00".to_owned(),
                "a@localhost".to_owned(),
                "a@b-.com".to_owned(),
                ".a@b.com".to_owned(),
                "a@@b.com".to_owned(),
                "a b@c.com".to_owned(),
                "ä@b.com".to_owned(),
                "a\u{200b}@b.com".to_owned(),
                format!("{local}@{domain}"),
                format!("  {local}@{domain}  "),
                format!("{local}@a{domain}"),
                format!("l{local}@b.com"),
                format!("a@{label}.com"),
                format!("a@{label}a.com"),
                String::new(),
                " ".to_owned(),
            ],
        ),
        (
            "firstName",
            vec![
                "A".to_owned(),
                " Ada \u{3000}L\u{feff}".to_owned(),
                "علی\u{200c}رضا".to_owned(),
                "\u{1f600}".to_owned(),
                "é".repeat(100),
                format!("\t{}  ", "é".repeat(100)),
                "é".repeat(101),
                "A\0".to_owned(),
                "A\u{85}b".to_owned(),
                " \u{200b}".to_owned(),
                String::new(),
            ],
        ),
    ] {
        let schema = jsonschema::validator_for(&fields[field]).expect("a schema");
        for text in texts {
            let accepts =
                if field == "email" { Email::parse(&text).is_ok() } else { Name::parse(&text).is_ok() };
            assert_eq!(schema.is_valid(&json!(text)), accepts, "{field}: {text:?}");
        }
    }
}

#[tokio::test]
async fn setting_removes_the_document_and_the_page() {
    let api = Api::start_with(&[("API_DOCS", "off")]).await;
    for path in ["/api/openapi.json", "/api/docs", "/api/docs/style.css"] {
        api.client().get(path).await.assert_rejected(404, "not_found");
    }
    assert_eq!(api.client().get("/.well-known/jwks.json").await.status, 200);
}

/// `cargo xtask test` builds the client where Node is found.
#[tokio::test(flavor = "multi_thread")]
async fn typescript_client_registers_refreshes_once_and_logs_out() {
    let client = paths::root().join("clients/typescript");
    if !client.join("dist/index.js").exists() {
        eprintln!(
            "not run: clients/typescript is not built, for which `cargo xtask test` needs node and npm"
        );
        return;
    }
    let api = Api::start().await;
    let mut node = Command::new("node");
    node.current_dir(client).args(["--test", "test/"]).env("EDGEWARD_URL", api.url());
    let output = tokio::task::spawn_blocking(move || node.output()).await.expect("a thread").expect("node");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
