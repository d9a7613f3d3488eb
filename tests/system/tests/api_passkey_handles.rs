//! Passkeys of several deployments, or of several domains of one.

use edgeward_kit::api::{Api, PASSKEYS};
use edgeward_kit::client::PASSWORD;
use serde_json::json;

const ADA: &str = "ada@example.com";
const LIST: &str = "/api/auth/factors";

#[tokio::test]
async fn handle_of_a_user_is_random_and_stays() {
    let (api, other) = tokio::join!(Api::start_with(&PASSKEYS), Api::start_with(&PASSKEYS));
    let (mut ada, mut first, _) = api.registered_with_passkey(ADA).await;
    assert_eq!(ada.confirm_with_passkey(&mut first).await.status, 200);
    let begun = ada.post_json("/api/auth/factors/passkeys", &json!({"automatic": true})).await;
    assert_eq!(begun.body["options"]["user"]["id"], json!(first.user_handle), "{begun}");
    let (_, same_number, _) = other.registered_with_passkey(ADA).await;
    assert_ne!(first.user_handle, same_number.user_handle);
    assert_eq!(first.user_handle.len(), 22, "128 bits");
}

#[tokio::test]
async fn passkey_of_another_deployment_is_not_unknown() {
    let (api, other) = tokio::join!(Api::start_with(&PASSKEYS), Api::start_with(&PASSKEYS));
    let (_, mut ours, _) = api.registered_with_passkey(ADA).await;
    let (_, mut theirs, _) = other.registered_with_passkey(ADA).await;
    let mut client = api.client();
    client.login_with_passkey(&mut theirs).await.assert_rejected(401, "passkey_wrong");
    let mut root = api.admin("root@example.com").await;
    assert_eq!(root.delete("/api/admin/users/1/factors").await.status, 200);
    client.login_with_passkey(&mut ours).await.assert_rejected(401, "passkey_unknown");
}

#[tokio::test]
async fn passkey_of_another_domain_is_demanded_and_not_asked_for() {
    let api = Api::start_with(&PASSKEYS).await;
    let (mut ada, mut passkey, _) = api.registered_with_passkey(ADA).await;
    assert_eq!(ada.confirm_with_passkey(&mut passkey).await.status, 200);
    api.move_passkeys("example.net").await;
    let mut client = api.client();
    client.login_with_passkey(&mut passkey).await.assert_rejected(401, "passkey_unknown");
    let begun = client.login(ADA, PASSWORD).await;
    assert_eq!((begun.status, &begun.body["ways"]), (202, &json!(["recovery_code"])), "{begun}");
    let asked = ada.post("/api/auth/confirm/passkey/options").await;
    assert_eq!(asked.body["options"]["allowCredentials"], json!([]), "{asked}");
    let page = ada.get("/auth/account").await;
    assert!(page.text.contains("Of another address of this site"), "{page}");
    let (added, _) = ada.add_passkey(false).await;
    assert_eq!(added.user_handle, passkey.user_handle);
    let ids = ada.get(LIST).await;
    let old = format!("{LIST}/{}", ids.body["factors"][0]["id"]);
    assert_eq!(ada.delete(&old).await.status, 200);
}
