//! Signing in, and what a stranger learns from being refused: nothing.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use edgeward_companion::domain::hashing::PasswordHasher;
use edgeward_companion::domain::password::Password;
use edgeward_tests::api::{Api, PASSWORD};
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
    sqlx::query("update users set password = $1")
        .bind(old.expose())
        .execute(&api.pool)
        .await
        .expect("an update");
    let stored = async || -> String {
        sqlx::query_scalar("select password from users").fetch_one(&api.pool).await.expect("a hash")
    };
    assert_eq!(api.client().login("ada@example.com", "not the password").await.status, 401);
    assert_eq!(stored().await, old.expose());
    assert_eq!(api.client().login("ada@example.com", PASSWORD).await.status, 200);
    assert!(stored().await.starts_with("$2b$05$"));
    assert_eq!(api.client().login("ada@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn hashes_of_other_bcrypts_are_understood() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    // The Node bcrypt test vector: "U*U", $2a$05.
    let hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    sqlx::query("update users set password = $1").bind(hash).execute(&api.pool).await.expect("an update");
    assert_eq!(api.client().login("ada@example.com", "U*U").await.status, 200);
}
