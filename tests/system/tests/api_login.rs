//! Logins: password hashes of every origin, and rejections without a reason.

use edgeward_kit::api::Api;
use edgeward_kit::client::{PASSWORD, registration};
use insta::{allow_duplicates, assert_snapshot};
use serde_json::json;

#[tokio::test]
async fn correct_password_signs_the_user_in() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    let mut ada = api.client();
    assert_snapshot!(ada.login(" ADA@example.com", PASSWORD).await, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json
    set-cookie: access_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600
    set-cookie: refresh_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000
    set-cookie: device_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=31536000

    {"message": "User logged in successfully", "userId": 1}
    "#);
    assert_eq!(ada.get("/api/auth/self").await.body["user"]["id"], 1);
}

// holds: invariant 7
#[tokio::test]
async fn unknown_user_and_wrong_password_get_the_same_response() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    for (email, password) in [
        ("ada@example.com", "not the password"),
        ("ada@example.com", "short"),
        ("ada@example.com", &"a".repeat(73)),
        ("ada@example.com", "nul\0nul\0nul"),
        ("bob@example.com", PASSWORD),
        ("bob@example.com", &"a".repeat(10_000)),
    ] {
        let response = api.client().login(email, password).await;
        allow_duplicates! { assert_snapshot!(response, @r#"
        401 Unauthorized
        cache-control: no-store
        content-type: application/json
        www-authenticate: Bearer

        {
          "errors": [
            {
              "code": "credentials_wrong",
              "location": "",
              "msg": "E-mail or password is wrong",
              "path": "",
              "type": "request"
            }
          ],
          "message": "E-mail or password is wrong"
        }
        "#) };
    }
}

#[tokio::test]
async fn every_invalid_field_is_named_at_once() {
    let api = Api::start().await;
    for (body, codes) in [
        (json!({}), ["email: required", "password: required"]),
        (json!({"email": 1, "password": 2}), ["email: not_text", "password: not_text"]),
        (json!({"email": "ada", "password": ""}), ["email: email_malformed", "password: required"]),
    ] {
        let response = api.client().post_json("/api/auth/login", &body).await;
        assert_eq!(response.invalid_fields(), codes, "{body}");
    }
}

// holds: invariant 7
#[tokio::test]
async fn disabled_account_is_revealed_only_to_the_right_password() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    api.disable("ada@example.com").await;
    api.client().login("ada@example.com", PASSWORD).await.assert_rejected(403, "account_disabled");
    api.client().login("ada@example.com", "not the password").await.assert_rejected(401, "credentials_wrong");
}

#[tokio::test]
async fn hash_of_another_cost_is_renewed_by_a_successful_login_alone() {
    let api = Api::start_with(&[("BCRYPT_COST", "5")]).await;
    api.registered("ada@example.com").await;
    let old = Api::hash_at_cost_4(PASSWORD).await;
    api.import_password(&old).await;
    assert_eq!(api.client().login("ada@example.com", "not the password").await.status, 401);
    assert_eq!(api.stored_password().await, old);
    assert_eq!(api.client().login("ada@example.com", PASSWORD).await.status, 200);
    assert!(api.stored_password().await.starts_with("$2b$05$"));
    assert_eq!(api.client().login("ada@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn password_is_the_same_in_every_unicode_spelling() {
    let api = Api::start().await;
    let mut body = registration("ada@example.com");
    body["password"] = json!("caf\u{e9} cr\u{e8}me");
    assert_eq!(api.client().post_json("/api/auth/register", &body).await.status, 201);
    let hash = api.stored_password().await;
    for typed in ["caf\u{e9} cr\u{e8}me", "cafe\u{301} cre\u{300}me", "caf\u{e9}\u{a0}cr\u{e8}me"] {
        assert_eq!(api.client().login("ada@example.com", typed).await.status, 200, "{typed:?}");
    }
    api.client().login("ada@example.com", "cafe creme").await.assert_rejected(401, "credentials_wrong");
    assert_eq!(api.stored_password().await, hash, "the hash is up to date");
}

#[tokio::test]
async fn hash_of_another_spelling_is_renewed_by_a_successful_login() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    // libxcrypt's, of "caf\u{e9}\u{a0}cr\u{e8}me" in NFD.
    let old = "$2b$04$abcdefghijklmnopqrstuugdJsHerWgC81yP45OPxTuRwwtq9moGi";
    api.import_password(old).await;
    api.client()
        .login("ada@example.com", "cafe\u{301} creme")
        .await
        .assert_rejected(401, "credentials_wrong");
    assert_eq!(api.stored_password().await, old);
    assert_eq!(api.client().login("ada@example.com", "caf\u{e9}\u{a0}cr\u{e8}me").await.status, 200);
    assert_ne!(api.stored_password().await, old);
    for typed in ["caf\u{e9} cr\u{e8}me", "cafe\u{301}\u{a0}cre\u{300}me"] {
        assert_eq!(api.client().login("ada@example.com", typed).await.status, 200, "{typed:?}");
    }
}

#[tokio::test]
async fn imported_hash_of_a_truncated_password_accepts_the_whole_one() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    let password = "0123456789".repeat(8);
    // libxcrypt's, of these 80 bytes, of which it reads 72.
    let hash = "$2y$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S";
    for (marked, status) in [("$2y$", 200), ("$2a$", 200), ("$2b$", 401)] {
        let hash = hash.replace("$2y$", marked);
        api.import_password(&hash).await;
        assert_eq!(api.client().login("ada@example.com", &password).await.status, status, "{marked}");
        assert_eq!(
            api.stored_password().await,
            hash,
            "a hash of the companion would reject the whole password"
        );
    }
    api.client()
        .login("ada@example.com", &"0123456789".repeat(7))
        .await
        .assert_rejected(401, "credentials_wrong");
    // The hash of a password that was not truncated is renewed.
    api.import_password("$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e").await;
    assert_eq!(api.client().login("ada@example.com", "correct horse").await.status, 200);
    assert!(api.stored_password().await.starts_with("$2b$04$"));
    assert_eq!(api.client().login("ada@example.com", "correct horse").await.status, 200);
}

#[tokio::test]
async fn hashes_of_other_bcrypt_implementations_are_accepted() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    // The Node bcrypt test vector: "U*U", $2a$05.
    api.import_password("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW").await;
    assert_eq!(api.client().login("ada@example.com", "U*U").await.status, 200);
}
