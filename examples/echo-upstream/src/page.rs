//! Page that tells browsers what reached the upstream, and its files.

use askama::Template;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Response};

use crate::echo::Echo;
use crate::identity::{self, Identity};

/// The page loads its own files, and talks to its own origin, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Cookies that the gateway removes.
const TOKENS: [&str; 2] = ["access_token", "refresh_token"];

#[derive(Template)]
#[template(path = "demo.html")]
struct Page<'a> {
    /// Path without the query.
    path: &'a str,
    /// Users that the demo's rule for the path lets in.
    route: &'static str,
    identity: Option<Identity<'a>>,
    /// Header fields but those of the identity.
    others: Vec<(&'a str, &'a str)>,
    /// Token cookies that reached the upstream in spite of the gateway.
    tokens: Vec<&'static str>,
    /// `false` if the browser called the upstream itself.
    through_gateway: bool,
}

impl<'a> Page<'a> {
    fn new(echo: &'a Echo, headers: &'a HeaderMap) -> Self {
        let path = echo.path.split('?').next().unwrap_or_default();
        let fields = echo
            .headers
            .iter()
            .flat_map(|(name, values)| values.iter().map(|value| (name.as_str(), value.as_str())));
        let cookies = echo.headers.get("cookie").map(|values| values.join("; ")).unwrap_or_default();
        let is_cookie =
            |name: &&str| cookies.split(';').any(|pair| pair.trim().split('=').next() == Some(name));
        let mut others: Vec<_> = fields.filter(|(name, _)| !identity::FIELDS.contains(name)).collect();
        // Those that every browser sends come last.
        others.sort_by_key(|(name, _)| name.starts_with("accept") || name.starts_with("sec-"));
        Self {
            path,
            route: route(path),
            identity: Identity::read(headers),
            others,
            tokens: TOKENS.into_iter().filter(is_cookie).collect(),
            through_gateway: headers.contains_key("x-request-id"),
        }
    }
}

/// Returns the users that the demo's rules (envoy/envoy.yaml) let in at a path.
fn route(path: &str) -> &'static str {
    match path.split('/').nth(1) {
        Some("public") => "a public route",
        Some("admin") => "a route for the role admin",
        _ => "a route for signed-in users",
    }
}

/// Shows the page of a request.
pub(crate) fn show(echo: &Echo, headers: &HeaderMap) -> Response {
    let Ok(html) = Page::new(echo, headers).render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let fields = [
        // The back button shows nobody's page after a logout.
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (fields, Html(html)).into_response()
}

type File = ([(HeaderName, &'static str); 3], &'static str);

fn file(content_type: &'static str, content: &'static str) -> File {
    let fields =
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (fields, content)
}

pub(crate) async fn style() -> File {
    file("text/css; charset=utf-8", include_str!("../pages/demo.css"))
}

pub(crate) async fn script() -> File {
    file("text/javascript; charset=utf-8", include_str!("../pages/demo.js"))
}

pub(crate) async fn icon() -> File {
    file("image/svg+xml", include_str!("../pages/demo.svg"))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;

    use super::*;

    const NOBODY: &[(&str, &str)] = &[("x-request-id", "1")];
    const ADA: &[(&str, &str)] =
        &[("x-request-id", "1"), ("x-user-id", "7"), ("x-user-role", "customer"), ("x-session-id", "9")];

    async fn render(path: &str, headers: &[(&str, &str)]) -> String {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, body) = request.body(Body::empty()).unwrap().into_parts();
        let echo = Echo::read(&parts, body).await.unwrap();
        Page::new(&echo, &parts.headers).render().unwrap()
    }

    #[tokio::test]
    async fn what_the_request_holds_is_escaped() {
        let hostile = "<img src=x onerror=alert(1)>\"'&";
        let html = render("/it's", &[("user-agent", hostile), ("x-user-id", hostile)]).await;
        for raw in ["<img src=x", "onerror=alert(1)>", "it's"] {
            assert!(!html.contains(raw), "{raw}");
        }
        assert!(html.contains("&#60;img src=x onerror=alert(1)&#62;&#34;&#39;&#38;"), "{html}");
    }

    #[tokio::test]
    async fn page_says_where_the_visitor_is() {
        for (path, expected) in [
            ("/", "<code>/</code>, a route for signed-in users"),
            ("/orders?page=2", "<code>/orders</code>, a route for signed-in users"),
            ("/public/", "<code>/public/</code>, a public route"),
            ("/publicity", "a route for signed-in users"),
            ("/admin/", "a route for the role admin"),
        ] {
            let html = render(path, ADA).await;
            assert!(html.contains(expected), "{path}: {html}");
        }
    }

    #[tokio::test]
    async fn page_says_who_calls() {
        for (headers, expected) in [
            (NOBODY, "Nobody is signed in"),
            (&[], "You went past the gateway"),
            (ADA, r#"<dt>x-user-id</dt><dd data-identity="user">7</dd>"#),
            (ADA, "among the cookies: they stay at the gateway"),
        ] {
            let html = render("/public/", headers).await;
            assert!(html.contains(expected), "{headers:?}: {html}");
        }
    }

    #[tokio::test]
    async fn tokens_that_reach_the_service_are_named() {
        for (cookie, expected) in [
            ("theme=dark; not_access_token=1", false),
            ("theme=dark; refresh_token=1", true),
            ("access_token", true),
        ] {
            let html = render("/", &[ADA, &[("cookie", cookie)]].concat()).await;
            assert_eq!(html.contains("Cookies of the session that came here too"), expected, "{cookie}");
        }
    }
}
