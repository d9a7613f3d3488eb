//! Signing in, and what a stranger learns from being refused: nothing.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use edgeward_companion::domain::account::password::Password;
use edgeward_companion::hashing::PasswordHasher;
use edgeward_tests::api::{Api, PASSWORD, registration};
use serde_json::json;

const WRONG: &str = "E-mail or password is wrong";

#[tokio::test]
async fn whoever_knows_the_password_signs_in() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    let mut ada = api.client();
    let answer = ada.login(" ADA@example.com", PASSWORD).await;
    assert_eq!(answer.status, 200);
    let id = answer.body["userId"].as_i64().expect("a number");
    assert_eq!(answer.body, json!({"message": "User logged in successfully", "userId": id}));
    assert_eq!(ada.get("/api/auth/self").await.body["user"]["id"], id);
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_get_the_same_answer() {
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
        let answer = api.client().login(email, password).await;
        answer.assert_refused(401, WRONG);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let api = Api::start().await;
    for body in [json!({}), json!({"email": 1, "password": 2}), json!({"email": "ada", "password": ""})] {
        let answer = api.client().post_json("/api/auth/login", &body).await;
        assert_eq!((answer.status, answer.wrong_fields()), (400, vec!["email", "password"]), "{body}");
    }
}

#[tokio::test]
async fn a_disabled_user_is_told_so_only_with_the_right_password() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    let disable = "update users set disabled_at = now()";
    sqlx::query(disable).execute(&api.pool).await.expect("an update");
    api.client().login("ada@example.com", PASSWORD).await.assert_refused(403, "This account is disabled");
    api.client().login("ada@example.com", "not the password").await.assert_refused(401, WRONG);
}

#[tokio::test]
async fn a_hash_of_another_cost_is_renewed_by_a_good_login_and_by_no_other() {
    let api = Api::start_with(&[("BCRYPT_COST", "5")]).await;
    api.registered("ada@example.com").await;
    let cheaper = PasswordHasher::new(4, 2, Arc::new(SystemRandom::new()));
    let old = cheaper.hash(Password::parse(PASSWORD).expect("a password")).await.expect("a hash");
    import(&api, old.expose()).await;
    assert_eq!(api.client().login("ada@example.com", "not the password").await.status, 401);
    assert_eq!(stored(&api).await, old.expose());
    assert_eq!(api.client().login("ada@example.com", PASSWORD).await.status, 200);
    assert!(stored(&api).await.starts_with("$2b$05$"));
    assert_eq!(api.client().login("ada@example.com", PASSWORD).await.status, 200);
}

/// Gives the only user a hash from elsewhere.
async fn import(api: &Api, hash: &str) {
    sqlx::query("update users set password = $1").bind(hash).execute(&api.pool).await.expect("an update");
}

async fn stored(api: &Api) -> String {
    sqlx::query_scalar("select password from users").fetch_one(&api.pool).await.expect("a hash")
}

#[tokio::test]
async fn a_password_is_the_same_on_every_keyboard() {
    let api = Api::start().await;
    let mut body = registration("ada@example.com");
    body["password"] = json!("caf\u{e9} cr\u{e8}me");
    assert_eq!(api.client().post_json("/api/auth/register", &body).await.status, 201);
    let hash = stored(&api).await;
    for typed in ["caf\u{e9} cr\u{e8}me", "cafe\u{301} cre\u{300}me", "caf\u{e9}\u{a0}cr\u{e8}me"] {
        assert_eq!(api.client().login("ada@example.com", typed).await.status, 200, "{typed:?}");
    }
    api.client().login("ada@example.com", "cafe creme").await.assert_refused(401, WRONG);
    assert_eq!(stored(&api).await, hash, "it was as it should be");
}

#[tokio::test]
async fn a_hash_of_another_spelling_is_renewed_by_a_good_login() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    // libxcrypt's, of "caf\u{e9}\u{a0}cr\u{e8}me" in NFD.
    let old = "$2b$04$abcdefghijklmnopqrstuugdJsHerWgC81yP45OPxTuRwwtq9moGi";
    import(&api, old).await;
    api.client().login("ada@example.com", "cafe\u{301} creme").await.assert_refused(401, WRONG);
    assert_eq!(stored(&api).await, old);
    assert_eq!(api.client().login("ada@example.com", "caf\u{e9}\u{a0}cr\u{e8}me").await.status, 200);
    assert_ne!(stored(&api).await, old);
    for typed in ["caf\u{e9} cr\u{e8}me", "cafe\u{301}\u{a0}cre\u{300}me"] {
        assert_eq!(api.client().login("ada@example.com", typed).await.status, 200, "{typed:?}");
    }
}

#[tokio::test]
async fn an_imported_hash_of_a_cut_password_takes_the_whole_one() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    let password = "0123456789".repeat(8);
    // libxcrypt's, of these 80 bytes: it looks at 72.
    let hash = "$2y$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S";
    for (marked, status) in [("$2y$", 200), ("$2a$", 200), ("$2b$", 401)] {
        let hash = hash.replace("$2y$", marked);
        import(&api, &hash).await;
        assert_eq!(api.client().login("ada@example.com", &password).await.status, status, "{marked}");
        assert_eq!(stored(&api).await, hash, "a hash of ours would refuse what is typed");
    }
    api.client().login("ada@example.com", &"0123456789".repeat(7)).await.assert_refused(401, WRONG);
    // What was not cut becomes ours.
    import(&api, "$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e").await;
    assert_eq!(api.client().login("ada@example.com", "correct horse").await.status, 200);
    assert!(stored(&api).await.starts_with("$2b$04$"));
    assert_eq!(api.client().login("ada@example.com", "correct horse").await.status, 200);
}

#[tokio::test]
async fn hashes_of_other_bcrypts_are_understood() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    // The Node bcrypt test vector: "U*U", $2a$05.
    import(&api, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW").await;
    assert_eq!(api.client().login("ada@example.com", "U*U").await.status, 200);
}
