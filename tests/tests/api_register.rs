//! Registering: what makes an account, and everything that does not.

use edgeward_tests::api::{Api, PASSWORD, registration};
use serde_json::{Value, json};

#[tokio::test]
async fn a_registration_makes_an_account_and_signs_its_owner_in() {
    let api = Api::start().await;
    let mut ada = api.client();
    let answer = ada.register("Ada@Example.com").await;
    assert_eq!(answer.status, 201);
    let id = answer.body["userId"].as_i64().expect("a number");
    assert_eq!(answer.body, json!({"message": "User registered successfully", "userId": id}));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(ada.cookies.keys().collect::<Vec<_>>(), ["access_token", "refresh_token"]);

    let myself = ada.get("/api/auth/self").await;
    assert_eq!(myself.status, 200);
    assert_eq!(
        myself.body,
        json!({"message": "User details fetched successfully", "user": {
            "id": id, "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "role": "customer",
            "createdAt": "2030-01-01T00:00:00.000Z", "updatedAt": "2030-01-01T00:00:00.000Z",
        }})
    );
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once_and_none_is_echoed() {
    let api = Api::start().await;
    let all = ["firstName", "lastName", "email", "password"];
    let with = |field: &str, value: Value| {
        let mut body = registration("ada@example.com");
        body[field] = value;
        body
    };
    let cases: Vec<(Value, Vec<&str>)> = vec![
        (json!({}), all.to_vec()),
        (json!({"firstName": 1, "lastName": [], "email": {}, "password": true}), all.to_vec()),
        (
            json!({"firstName": null, "lastName": " ", "email": "hunter2@", "password": "hunter2"}),
            all.to_vec(),
        ),
        (with("firstName", json!("a".repeat(101))), vec!["firstName"]),
        (with("lastName", json!("a\u{0}")), vec!["lastName"]),
        (with("lastName", json!("a\u{202e}b")), vec!["lastName"]),
        (with("email", json!("ada@localhost")), vec!["email"]),
        (with("password", json!("1234567")), vec!["password"]),
        (with("password", json!("é".repeat(37))), vec!["password"]),
        (with("password", json!("pass\u{0}word")), vec!["password"]),
    ];
    for (body, fields) in cases {
        let answer = api.client().post_json("/api/auth/register", &body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.wrong_fields(), fields, "{body}");
        assert_eq!(answer.body["message"], "Some fields are missing or wrong");
        assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    }
}

#[tokio::test]
async fn names_are_kept_with_their_joiners_and_in_one_spelling() {
    let api = Api::start().await;
    let mut body = registration("ali@example.com");
    body["firstName"] = json!("علی\u{200c}رضا");
    body["lastName"] = json!("Zoe\u{308}");
    let mut ali = api.client();
    assert_eq!(ali.post_json("/api/auth/register", &body).await.status, 201);
    let user = ali.get("/api/auth/self").await.body["user"].clone();
    assert_eq!((&user["firstName"], &user["lastName"]), (&json!("علی\u{200c}رضا"), &json!("Zo\u{eb}")));
}

#[tokio::test]
async fn nobody_gives_a_role_to_themselves() {
    let api = Api::start().await;
    let mut mallory = api.client();
    let mut body = registration("mallory@example.com");
    for field in ["role", "Role", "roles", "id", "disabledAt", "disabled_at", "isAdmin"] {
        body[field] = json!("admin");
    }
    assert_eq!(mallory.post_json("/api/auth/register", &body).await.status, 201);
    assert_eq!(mallory.get("/api/auth/self").await.body["user"]["role"], "customer");
}

#[tokio::test]
async fn of_registrations_at_the_same_time_exactly_one_wins_whatever_the_case() {
    let api = Api::start().await;
    let spellings = [
        "ada@x.org",
        "Ada@x.org",
        "ADA@X.ORG",
        "aDa@x.oRg",
        " ada@x.org",
        "ada@X.org ",
        "adA@x.org",
        "ADA@x.org",
    ];
    let tasks = spellings.map(|email| {
        let mut client = api.client();
        tokio::spawn(async move { client.register(email).await })
    });
    let mut statuses = Vec::new();
    for task in tasks {
        let answer = task.await.expect("an answer");
        if answer.status != 201 {
            answer.assert_refused(409, "This e-mail is already registered");
        }
        statuses.push(answer.status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    let users = sqlx::query_scalar::<_, i64>("select count(*) from users").fetch_one(&api.pool).await;
    assert_eq!(users.expect("a count"), 1);
}

#[tokio::test]
async fn a_password_is_kept_as_typed_and_only_as_a_hash() {
    let api = Api::start().await;
    let mut body = registration("ada@example.com");
    body["password"] = json!("  spaces count  ");
    assert_eq!(api.client().post_json("/api/auth/register", &body).await.status, 201);
    assert_eq!(api.client().login("ada@example.com", "spaces count").await.status, 401);
    assert_eq!(api.client().login("ada@example.com", "  spaces count  ").await.status, 200);
    let stored: String =
        sqlx::query_scalar("select password from users").fetch_one(&api.pool).await.expect("a hash");
    assert!(stored.starts_with("$2b$04$") && stored.len() == 60, "{stored}");
}

#[tokio::test]
async fn a_password_of_exactly_72_bytes_is_whole() {
    let api = Api::start().await;
    let password = "a".repeat(72);
    let mut body = registration("ada@example.com");
    body["password"] = json!(password);
    assert_eq!(api.client().post_json("/api/auth/register", &body).await.status, 201);
    assert_eq!(api.client().login("ada@example.com", &password).await.status, 200);
    // Had anything been cut, these would match.
    for wrong in [format!("{password}a"), "a".repeat(71)] {
        api.client()
            .login("ada@example.com", &wrong)
            .await
            .assert_refused(401, "E-mail or password is wrong");
    }
    assert_ne!(password, PASSWORD);
}
