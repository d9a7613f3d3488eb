//! Registration: the accounts that are created, and the bodies that are rejected.

use edgeward_kit::api::Api;
use edgeward_kit::client::{PASSWORD, registration};
use insta::assert_snapshot;
use serde_json::{Value, json};

#[tokio::test]
async fn registration_creates_an_account_and_signs_the_user_in() {
    let api = Api::start().await;
    let mut ada = api.client();
    assert_snapshot!(ada.register("Ada@Example.com").await, @r#"
    201 Created
    cache-control: no-store
    content-type: application/json
    set-cookie: access_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600
    set-cookie: refresh_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000
    set-cookie: device_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=31536000

    {"message": "User registered successfully", "userId": 1}
    "#);
    assert_snapshot!(ada.get("/api/auth/self").await, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json

    {
      "message": "User details fetched successfully",
      "user": {
        "createdAt": "2030-01-01T00:00:00.000Z",
        "email": "ada@example.com",
        "firstName": "Ada",
        "id": 1,
        "lastName": "Lovelace",
        "role": "customer",
        "updatedAt": "2030-01-01T00:00:00.000Z"
      }
    }
    "#);
}

// holds: invariant 8, promise 8
#[tokio::test]
async fn every_invalid_field_is_named_at_once_and_none_is_echoed() {
    let api = Api::start().await;
    let body = json!({"firstName": null, "lastName": " ", "email": "hunter2@", "password": "hunter2"});
    let response = api.client().post_json("/api/auth/register", &body).await;
    assert_snapshot!(response, @r#"
    400 Bad Request
    cache-control: no-store
    content-type: application/json

    {
      "errors": [
        {
          "code": "required",
          "location": "body",
          "msg": "firstName is required",
          "path": "firstName",
          "type": "field"
        },
        {
          "code": "required",
          "location": "body",
          "msg": "A name is required",
          "path": "lastName",
          "type": "field"
        },
        {
          "code": "email_malformed",
          "location": "body",
          "msg": "E-mail is not an e-mail address",
          "path": "email",
          "type": "field"
        },
        {
          "code": "password_too_short",
          "location": "body",
          "msg": "A password has at least 8 characters",
          "path": "password",
          "type": "field"
        }
      ],
      "message": "Some fields are missing or wrong"
    }
    "#);
}

#[tokio::test]
async fn every_mistake_in_a_field_has_a_code() {
    let api = Api::start().await;
    let post = async |body: Value| {
        api.client().post_json("/api/auth/register", &body).await.invalid_fields().join(", ")
    };
    assert_eq!(
        post(json!({})).await,
        "firstName: required, lastName: required, email: required, password: required"
    );
    assert_eq!(
        post(json!({"firstName": 1, "lastName": [], "email": {}, "password": true})).await,
        "firstName: not_text, lastName: not_text, email: not_text, password: not_text"
    );
    for (field, value, code) in [
        ("firstName", "a".repeat(101), "name_too_long"),
        ("lastName", "a\u{0}".to_owned(), "name_has_invisible_character"),
        ("lastName", "a\u{202e}b".to_owned(), "name_has_invisible_character"),
        ("email", "ada@localhost".to_owned(), "email_malformed"),
        ("email", "ad\u{e4}@example.com".to_owned(), "email_not_ascii"),
        ("password", "1234567".to_owned(), "password_too_short"),
        ("password", "é".repeat(37), "password_too_long"),
        ("password", "pass\u{0}word".to_owned(), "password_has_control_character"),
        ("password", "password1".to_owned(), "password_too_common"),
        ("password", "AdaLovelace".to_owned(), "password_too_weak"),
        ("password", "abcdefgh".to_owned(), "password_too_weak"),
    ] {
        let mut body = registration("ada@example.com");
        body[field] = json!(value);
        assert_eq!(post(body).await, format!("{field}: {code}"));
    }
}

#[tokio::test]
async fn weak_password_is_rejected_with_advice_and_is_not_echoed() {
    let api = Api::start().await;
    let mut body = registration("ada@example.com");
    body["password"] = json!("Baseball1");
    assert_snapshot!(api.client().post_json("/api/auth/register", &body).await, @r#"
    400 Bad Request
    cache-control: no-store
    content-type: application/json

    {
      "errors": [
        {
          "code": "password_too_common",
          "location": "body",
          "msg": "This is one of the most used passwords. Add another word or two. Uncommon words are better. Capitalization doesn't help very much.",
          "path": "password",
          "type": "field"
        }
      ],
      "message": "Some fields are missing or wrong"
    }
    "#);
    assert_eq!(api.count_users().await, 0);
}

#[tokio::test]
async fn length_and_strength_of_new_passwords_are_settings() {
    let api = Api::start_with(&[("PASSWORD_MIN_LENGTH", "10"), ("PASSWORD_MIN_SCORE", "3")]).await;
    for (password, mistakes) in [
        ("nine char", vec!["password: password_too_short".to_owned()]),
        ("S3cret!pass", vec!["password: password_too_weak".to_owned()]),
    ] {
        let mut body = registration("ada@example.com");
        body["password"] = json!(password);
        assert_eq!(api.client().post_json("/api/auth/register", &body).await.invalid_fields(), mistakes);
    }
    assert_eq!(api.registered("ada@example.com").await.login("ada@example.com", PASSWORD).await.status, 200);
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
    assert_eq!(user["firstName"], "علی\u{200c}رضا");
    assert_eq!(user["lastName"], "Zo\u{eb}");
}

#[tokio::test]
async fn registration_sets_no_role_of_the_client_s_choice() {
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
async fn one_of_simultaneous_registrations_wins_whatever_the_case() {
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
        let response = task.await.expect("a response");
        if response.status != 201 {
            response.assert_rejected(409, "email_taken");
        }
        statuses.push(response.status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(api.count_users().await, 1);
}

// holds: promise 7
#[tokio::test]
async fn a_password_is_kept_as_typed_and_only_as_a_hash() {
    let api = Api::start().await;
    let mut body = registration("ada@example.com");
    body["password"] = json!("  spaces count  ");
    assert_eq!(api.client().post_json("/api/auth/register", &body).await.status, 201);
    assert_eq!(api.client().login("ada@example.com", "spaces count").await.status, 401);
    assert_eq!(api.client().login("ada@example.com", "  spaces count  ").await.status, 200);
    let stored = api.stored_password().await;
    assert!(stored.starts_with("$2b$04$") && stored.len() == 60, "{stored}");
}

#[tokio::test]
async fn password_of_exactly_72_bytes_is_not_truncated() {
    let api = Api::start().await;
    let password = format!("{}a", "correct horse battery ".repeat(4)).split_off(17);
    assert_eq!(password.len(), 72);
    let mut body = registration("ada@example.com");
    body["password"] = json!(password);
    assert_eq!(api.client().post_json("/api/auth/register", &body).await.status, 201);
    assert_eq!(api.client().login("ada@example.com", &password).await.status, 200);
    // If anything had been truncated, these would match.
    for wrong in [format!("{password}a"), password.split_at(71).0.to_owned()] {
        let response = api.client().login("ada@example.com", &wrong).await;
        response.assert_rejected(401, "credentials_wrong");
    }
    assert_ne!(password, PASSWORD);
}

#[tokio::test]
async fn numbers_that_a_failover_may_have_lost_are_skipped_once() {
    let api = Api::start().await;
    let first = api.registered("ada@example.com").await.claims();
    assert_eq!((first.sub.as_str(), first.sid), ("1", 1));
    api.forget_number_origin().await;
    // The skip is a part of whichever comes first, and the others wait for it.
    let emails = ["b@example.com", "c@example.com", "d@example.com"];
    let [b, c, d] = emails.map(|email| api.registered(email));
    let (b, c, d) = tokio::join!(b, c, d);
    let mut numbers = [b, c, d].map(|user| (user.claims().sub, user.claims().sid));
    numbers.sort();
    let users = numbers.each_ref().map(|(user, _)| user.as_str());
    assert_eq!(users, ["100002", "100003", "100004"]);
    let mut sessions = numbers.map(|(_, session)| session);
    sessions.sort_unstable();
    assert_eq!(sessions, [1_000_002, 1_000_003, 1_000_004]);
    // A session of a known user skips them as well.
    api.forget_number_origin().await;
    assert_eq!(api.logged_in("ada@example.com").await.claims().sid, 2_000_005);
}

#[tokio::test]
async fn numbers_are_skipped_for_a_role_that_does_not_own_the_sequences() {
    let api = Api::start().await;
    api.forget_number_origin().await;
    assert_eq!(api.insert_as_role_without_sequences().await, 100_002);
}
