//! Protection of the last administrator, in the admin API and at the command line.

use edgeward_kit::api::Api;
use edgeward_kit::client::Client;
use edgeward_kit::command::run;
use reqwest::Method;
use serde_json::{Value, json};

/// Changes after which a user is no administrator who may sign in; null for the deletion.
fn removals() -> [Value; 4] {
    [
        json!({"role": "customer"}),
        json!({"disabled": true}),
        json!({"disabled": true, "role": "admin"}),
        Value::Null,
    ]
}

async fn remove(client: &mut Client, id: i64, removal: &Value) -> u16 {
    let path = format!("/api/admin/users/{id}");
    let response = match removal {
        Value::Null => client.call(Method::DELETE, &path, &[]).await,
        changes => client.patch_json(&path, changes).await,
    };
    if response.status == 409 {
        response.assert_rejected(409, "last_admin");
    }
    response.status
}

#[tokio::test]
async fn last_administrator_cannot_be_removed_and_another_one_can() {
    for removal in removals() {
        let api = Api::start().await;
        let mut admin = api.admin("admin@example.com").await;
        api.admin("disabled@example.com").await;
        api.disable("disabled@example.com").await;
        assert_eq!(remove(&mut admin, 1, &removal).await, 409, "{removal}");
        assert_eq!(admin.get("/api/admin/users/1").await.body["user"]["role"], "admin");
        // One who may not sign in does not count, and may go.
        assert_eq!(remove(&mut admin, 2, &removal).await, 200, "{removal}");
        api.admin("second@example.com").await;
        assert_eq!(remove(&mut admin, 1, &removal).await, 200, "{removal}");
    }
}

#[tokio::test]
async fn change_that_leaves_the_last_administrator_in_place_is_made() {
    let api = Api::start().await;
    let mut admin = api.admin("admin@example.com").await;
    let changes = json!({"role": "admin", "disabled": false, "firstName": "Eve"});
    let response = admin.patch_json("/api/admin/users/1", &changes).await;
    assert_eq!((response.status, &response.body["user"]["firstName"]), (200, &json!("Eve")), "{response}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_administrators_who_remove_each_other_one_stays() {
    for removal in removals() {
        let api = Api::start().await;
        let (first, second) = (api.admin("a@example.com").await, api.admin("b@example.com").await);
        // Both requests have passed the authorization when they wait for a row.
        let mut rows = api.pool.begin().await.expect("a transaction");
        sqlx::query("select from users for update").execute(&mut *rows).await.expect("locks");
        let requests = [(first, 2), (second, 1)].map(|(mut client, id)| {
            let removal = removal.clone();
            tokio::spawn(async move { remove(&mut client, id, &removal).await })
        });
        api.wait_for_locks(2).await;
        rows.rollback().await.expect("an end");
        let mut statuses = Vec::new();
        for request in requests {
            statuses.push(request.await.expect("a response"));
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{removal}");
    }
}

#[tokio::test]
async fn command_removes_the_last_administrator_on_request_alone() {
    let api = Api::start().await;
    api.admin("admin@example.com").await;
    for command in [
        &["user", "set-role", "admin@example.com", "customer"][..],
        &["user", "disable", "1"],
        &["user", "delete", "1", "--yes"],
    ] {
        let output = run(&api.database.url, command, "");
        let text = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(1), "{command:?}: {text}");
        assert!(
            text.contains("is the last administrator who may sign in: give another user the role"),
            "{text}"
        );
        let forced = [command, &["--last-admin-too"]].concat();
        assert!(run(&api.database.url, &forced, "").status.success(), "{command:?}");
        if command[1] == "delete" {
            assert_eq!(api.count_users().await, 0);
        } else {
            let restore = run(&api.database.url, &["user", "enable", "1"], "");
            assert!(restore.status.success());
            api.set_role("admin@example.com", "admin").await;
        }
    }
}
