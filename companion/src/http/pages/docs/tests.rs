//! The page against the document that it shows.

use serde_json::{Map, Value};
use time::Duration;

use super::*;
use crate::config;

#[test]
fn page_shows_every_operation_and_every_code_and_runs_nothing() {
    let settings = config::Cookies {
        prefix: String::new(),
        domain: None,
        same_site: cookie::SameSite::Lax,
        secure: true,
    };
    let cookies = CookiePolicy::new(&settings, Duration::HOUR, Duration::DAY);
    let document = routes::document("/api", true, &cookies);
    let page = render(&document, "/api").unwrap();
    let mut shown = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(page.contains(&format!("id=\"{id}\"")), "{path}");
            for response in operation["responses"].as_object().unwrap().values() {
                let examples = response.pointer("/content/application~1json/examples");
                for code in examples.and_then(Value::as_object).into_iter().flat_map(Map::keys) {
                    assert!(page.contains(&format!("<code>{code}</code>")), "{code} of {id}");
                }
            }
            shown += 1;
        }
    }
    assert!(shown > 10, "{shown}");
    for active in ["<script", "style=", "onclick", "http://", "https://"] {
        assert!(!page.contains(active), "{active}");
    }
}
