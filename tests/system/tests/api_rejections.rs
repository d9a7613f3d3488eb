//! Every rejection of the API as a whole response: the message and the header fields of each code.

use edgeward_kit::api::Api;
use edgeward_kit::client::{PASSWORD, registration};
use insta::assert_snapshot;
use reqwest::Method;

const REGISTER: &str = "/api/auth/register";
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn rejection_of_a_body_names_its_defect() {
    let mut client = Api::start().await.client();
    assert_snapshot!(client.call(Method::POST, REGISTER, &[("content-type", "text/plain")]).await, @r#"
    415 Unsupported Media Type
    cache-control: no-store
    content-type: application/json

    {
      "errors": [
        {
          "code": "content_type_not_json",
          "location": "",
          "msg": "The body must be application/json",
          "path": "",
          "type": "request"
        }
      ],
      "message": "The body must be application/json"
    }
    "#);
    assert_snapshot!(client.call(Method::POST, REGISTER, &[JSON]).await, @r#"
    400 Bad Request
    cache-control: no-store
    content-type: application/json

    {
      "errors": [
        {
          "code": "body_not_object",
          "location": "",
          "msg": "The body is not a JSON object",
          "path": "",
          "type": "request"
        }
      ],
      "message": "The body is not a JSON object"
    }
    "#);
    let large = client.request(Method::POST, REGISTER).header(JSON.0, JSON.1).body(" ".repeat(64 * 1024 + 1));
    assert_snapshot!(client.send(large).await, @r#"
    413 Payload Too Large
    cache-control: no-store
    content-type: application/json

    {
      "errors": [
        {
          "code": "body_too_large",
          "location": "",
          "msg": "The body is larger than 64 KiB",
          "path": "",
          "type": "request"
        }
      ],
      "message": "The body is larger than 64 KiB"
    }
    "#);
    let mut body = registration("ada@example.com");
    body["password"] = "short".into();
    assert_snapshot!(client.post_json(REGISTER, &body).await, @r#"
    400 Bad Request
    cache-control: no-store
    content-type: application/json

    {
      "errors": [
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
async fn rejection_of_a_path_method_or_query_names_it() {
    let api = Api::start_with(&[("FEED_SECRET", "0123456789abcdef0123456789abcdef")]).await;
    assert_snapshot!(api.client().get("/nowhere").await, @r#"
    404 Not Found
    cache-control: no-store
    content-type: application/json

    {
      "errors": [{"code": "not_found", "location": "", "msg": "Not found", "path": "", "type": "request"}],
      "message": "Not found"
    }
    "#);
    assert_snapshot!(api.client().get(REGISTER).await, @r#"
    405 Method Not Allowed
    allow: POST
    cache-control: no-store
    content-type: application/json

    {
      "errors": [
        {
          "code": "method_not_allowed",
          "location": "",
          "msg": "Method not allowed",
          "path": "",
          "type": "request"
        }
      ],
      "message": "Method not allowed"
    }
    "#);
    assert_snapshot!(api.internal().get("/internal/edge-feed").await, @r#"
    403 Forbidden
    cache-control: no-store
    content-type: application/json

    {
      "errors": [{"code": "not_allowed", "location": "", "msg": "Not allowed", "path": "", "type": "request"}],
      "message": "Not allowed"
    }
    "#);
    let secret = [("authorization", "Bearer 0123456789abcdef0123456789abcdef")];
    assert_snapshot!(api.internal().call(Method::GET, "/internal/edge-feed?keys=a&keys=b", &secret).await, @r#"
    400 Bad Request
    cache-control: no-store
    content-type: application/json

    {
      "errors": [
        {
          "code": "query_invalid",
          "location": "",
          "msg": "The query cannot be read",
          "path": "",
          "type": "request"
        }
      ],
      "message": "The query cannot be read"
    }
    "#);
}

#[tokio::test]
async fn rejection_of_a_user_reveals_no_more_than_necessary() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    assert_snapshot!(api.client().register("ada@example.com").await, @r#"
    409 Conflict
    cache-control: no-store
    content-type: application/json

    {
      "errors": [
        {
          "code": "email_taken",
          "location": "",
          "msg": "This e-mail is already registered",
          "path": "",
          "type": "request"
        }
      ],
      "message": "This e-mail is already registered"
    }
    "#);
    assert_snapshot!(api.client().get("/api/auth/self").await, @r#"
    401 Unauthorized
    cache-control: no-store
    content-type: application/json
    www-authenticate: Bearer

    {
      "errors": [{"code": "not_signed_in", "location": "", "msg": "Not signed in", "path": "", "type": "request"}],
      "message": "Not signed in"
    }
    "#);
    assert_snapshot!(api.client().login("ada@example.com", "not the password").await, @r#"
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
    "#);
    api.disable("ada@example.com").await;
    assert_snapshot!(api.client().login("ada@example.com", PASSWORD).await, @r#"
    403 Forbidden
    cache-control: no-store
    content-type: application/json

    {
      "errors": [
        {
          "code": "account_disabled",
          "location": "",
          "msg": "This account is disabled",
          "path": "",
          "type": "request"
        }
      ],
      "message": "This account is disabled"
    }
    "#);
}

#[tokio::test]
async fn rejection_without_a_database_asks_the_client_to_retry() {
    let api = Api::start().await;
    api.state.db.close().await;
    assert_snapshot!(api.client().login("ada@example.com", PASSWORD).await, @r#"
    503 Service Unavailable
    cache-control: no-store
    content-type: application/json
    retry-after: 1

    {
      "errors": [
        {
          "code": "database_unavailable",
          "location": "",
          "msg": "The database is not available, please try again",
          "path": "",
          "type": "request"
        }
      ],
      "message": "The database is not available, please try again"
    }
    "#);
    assert_snapshot!(api.internal().get("/readyz").await, @r#"
    503 Service Unavailable
    cache-control: no-store
    content-type: application/json
    retry-after: 1

    {
      "errors": [{"code": "not_ready", "location": "", "msg": "Not ready", "path": "", "type": "request"}],
      "message": "Not ready"
    }
    "#);
}
