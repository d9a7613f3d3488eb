//! Routes that stay closed without the plugin, as `deploy/kubernetes/` has them: the upstream's route asks for a header that
//! the plugin alone can set.

use std::time::Duration;

use edgeward_kit::journey::{another_gateway, raw_response, registered};
use edgeward_stack::{http, wait};

/// The routes of the examples, and the removal of identity headers before any filter, in the gateway's configuration.
const CLOSED: [(&str, &str); 2] = [
    (
        "- match: { prefix: / }",
        "- match: { prefix: /closed, headers: [{ name: x-user-id, string_match: { safe_regex: { regex: \".+\" } } }] }
                          route: { cluster: upstream, timeout: 0s }
                        - match: { prefix: /closed }
                          direct_response: { status: 403 }
                        - match: { prefix: / }",
    ),
    ("sm-user\"", "sm-user|x-user-id\""),
];
/// The plugin is left out, as where a policy was rejected, deleted or attached to something else.
const WITHOUT_PLUGIN: (&str, &str) = (
    "                  - name: edgeward\n",
    "                  - name: edgeward\n                    disabled: true\n",
);

/// Requests the path with these cookies and a forged identity. Returns the status.
fn status(port: u16, cookie: &str) -> String {
    let request = format!(
        "GET /closed HTTP/1.1\r\nhost: shop.example\r\ncookie: {cookie}\r\nx-user-id: 1\r\nconnection: close\r\n\r\n"
    );
    raw_response(port, request).split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn upstream_is_reached_by_what_the_plugin_sets_alone() {
    let cookie = registered(false).await.cookie();
    let (_envoy, ports) = another_gateway("closed", &CLOSED).unwrap();
    wait::until("the first keys", Duration::from_secs(20), || {
        Ok(http::is_status_everywhere(ports.gateway, "/closed", 401).then_some(()))
    })
    .unwrap();
    assert_eq!(status(ports.gateway, "a=b"), "401");
    assert_eq!(status(ports.gateway, &cookie), "200");

    let changes = [CLOSED[0], CLOSED[1], WITHOUT_PLUGIN];
    let (_envoy, ports) = another_gateway("without-plugin", &changes).unwrap();
    assert_eq!(status(ports.gateway, "a=b"), "403");
    assert_eq!(status(ports.gateway, &cookie), "403");
}
