//! Compiled filter in a host whose calls fail.

use edgeward_kit::host::edge::{ENVOY, NOW, configuration, get, headers};
use edgeward_kit::host::{CALLS, Host, Traits};
use edgeward_kit::mint::{self, Key};
use serde_json::json;

/// Statuses of host calls: those of the ABI, and others.
const STATUSES: [u32; 14] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 99, u32::MAX];

// holds: promise 3
#[test]
fn no_status_of_the_host_lets_a_forged_or_unchecked_request_pass() {
    let key = Key::generate("a");
    let ours = format!("a=1; access_token={}; refresh_token=r", key.good(NOW));
    let inline = configuration(&json!({"keys": {"inline": mint::jwks(&[&key])}, "feed": {"cluster": "c"}}));
    for call in CALLS {
        for status in STATUSES {
            let mut host = Host::start(ENVOY, &inline).unwrap();
            host.fail(call, status);
            host.tick();
            for call in host.take_calls() {
                host.complete_call(&call, Some(200), b"{}");
            }
            for (path, cookie) in
                [("/orders", ours.as_str()), ("/orders", ""), ("/public/", ours.as_str()), ("/a//b", "")]
            {
                let forged = [("cookie", cookie), ("x-user-id", "1"), ("x_user_role", "admin")];
                let exchange = get(&mut host, path, &forged);
                let Some(passed) = exchange.upstream else { continue };
                assert!(
                    path == "/public/" || path == "/orders" && !cookie.is_empty(),
                    "{call} {status} {path}"
                );
                for (name, value) in passed {
                    let (name, value) = (String::from_utf8(name).unwrap(), String::from_utf8(value).unwrap());
                    assert!(!value.contains("_token"), "{call} {status}: {name}: {value}");
                    assert!(
                        name != "x_user_role" && (name != "x-user-id" || value == "42"),
                        "{call} {status}: {name}: {value}"
                    );
                }
            }
            let trailers = host.trailers(headers(&[("x-user-id", "1")])).unwrap_or_default();
            assert!(trailers.is_empty(), "{call} {status}");
        }
    }
}

// holds: promise 3
#[test]
fn host_that_fails_at_the_start_gets_no_filter_or_one_that_rejects() {
    for call in CALLS {
        for status in STATUSES {
            let traits = Traits { fault: Some((call, status)), ..ENVOY };
            let Ok(mut host) = Host::start(traits, &configuration(&json!({"feed": {"cluster": "c"}}))) else {
                continue;
            };
            host.tick();
            assert!(
                get(&mut host, "/orders", &[("cookie", "access_token=x")]).upstream.is_none(),
                "{call} {status}"
            );
        }
    }
}
