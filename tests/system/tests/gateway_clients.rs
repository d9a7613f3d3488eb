//! Requests of ordinary clients, crawlers and health checks through the real Envoy: HTTP/1.0, many cookies, the site's own
//! `/.well-known/`, and header fields that only a proxy may set.

use edgeward_kit::http2::{Field, exchange};
use edgeward_kit::journey::{VERSIONS, client, raw_response, received, registered, stack};
use edgeward_stack::envoy;
use reqwest::Method;
use serde_json::{Value, json};

const HOST: &str = "host: shop.example\r\n";

/// Number of cookies that Chromium keeps for a host (`kDomainMaxCookies`).
const BROWSER_COOKIES: usize = 180;

/// Sends bytes to the gateway. Returns the status, the head and the body of the first response.
fn send(request: &str) -> (u16, String, String) {
    let response = raw_response(stack().ports().gateway, request);
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

fn seen(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn http_1_0_is_served_as_http_1_1_is() {
    let cookie = registered(false).await.cookie();
    let (status, _, body) = send(&format!("GET /orders HTTP/1.0\r\n{HOST}cookie: {cookie}\r\n\r\n"));
    assert_eq!(status, 200);
    assert_eq!(seen(&body)["headers"]["host"], json!(["shop.example"]));
    assert_eq!(seen(&body)["headers"]["x-user-role"], json!(["customer"]));
    assert_eq!(send(&format!("GET /orders HTTP/1.0\r\n{HOST}\r\n")).0, 401);
    assert_eq!(send(&format!("GET /admin/ HTTP/1.0\r\n{HOST}cookie: {cookie}\r\n\r\n")).0, 403);
    let body = r#"{"email":"nobody@shop.example","password":"wrong horse"}"#;
    let login = format!(
        "POST /api/auth/login HTTP/1.0\r\n{HOST}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(send(&login).0, 401);
}

#[test]
fn health_checks_of_load_balancers_need_no_host() {
    for (request, expected) in [
        ("GET /healthz HTTP/1.0\r\n\r\n", 200),
        ("HEAD /healthz HTTP/1.0\r\n\r\n", 200),
        ("OPTIONS /healthz HTTP/1.0\r\n\r\n", 200),
        ("OPTIONS / HTTP/1.0\r\n\r\n", 401),
        ("GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n", 400),
    ] {
        assert_eq!(send(request).0, expected, "{request:?}");
    }
    let (_, _, body) = send("GET /public/x HTTP/1.0\r\n\r\n");
    assert_eq!(seen(&body)["headers"]["host"], json!(["gateway.invalid"]), "a name that no site has");
}

#[tokio::test]
async fn http_1_0_has_no_chunks_and_ends_at_its_content_length() {
    let cookie = registered(false).await.cookie();
    let head = |line: &str| format!("{line} HTTP/1.0\r\n{HOST}cookie: {cookie}\r\n");
    let second = "GET /admin/ HTTP/1.0\r\n\r\n";
    // Without a length there is no body, and without keep-alive there is no second request.
    for first in [head("GET /orders") + "\r\n", head("POST /orders") + "\r\n"] {
        let (status, response, body) = send(&format!("{first}{second}"));
        assert_eq!(status, 200);
        assert_eq!(seen(&body)["body_bytes"], 0);
        assert!(!response.contains("transfer-encoding"), "{response}");
    }
    // With keep-alive there is, and it is decided by itself.
    let (_, _, both) = send(&format!("{}connection: keep-alive\r\n\r\n{second}", head("GET /orders")));
    assert!(both.contains("HTTP/1.0 401"), "{both}");
    for (framing, expected) in [
        ("content-length: 1\r\ntransfer-encoding: chunked\r\n", 400),
        ("content-length: 1\r\ncontent-length: 2\r\n", 400),
        ("transfer-encoding: identity\r\n", 501),
        ("transfer-encoding: chunked, identity\r\n", 501),
    ] {
        let (status, _, body) = send(&format!("{}{framing}\r\n0\r\n\r\n{second}", head("POST /orders")));
        assert_eq!(status, expected, "{framing}");
        assert!(!body.contains("HTTP/1.0"), "{framing}: {body}");
    }
}

#[tokio::test]
async fn each_cookie_of_a_browser_may_be_a_field_of_its_own() {
    let mut user = registered(false).await;
    let refresh = format!("refresh_token={}", user.cookies["refresh_token"]);
    let access = format!("access_token={}", user.cookies["access_token"]);
    let others: Vec<String> = (0..BROWSER_COOKIES).map(|number| format!("c{number}={number}")).collect();
    let with = |own: &[&str], count: usize| {
        let crumbs = others.iter().map(String::as_str).cycle().take(count).chain(own.iter().copied());
        let crumbs: Vec<&str> = crumbs.collect();
        let mut head: Vec<Field<'_>> = vec![
            (b":method", b"GET"),
            (b":scheme", b"http"),
            (b":authority", b"shop.example"),
            (b":path", b"/orders"),
        ];
        head.extend(std::iter::repeat_n((&b"x-ordinary"[..], &b"1"[..]), 30));
        head.extend(crumbs.iter().map(|crumb| (&b"cookie"[..], crumb.as_bytes())));
        exchange(stack().ports().gateway, &head, None).unwrap()
    };
    // The second request is held until the gateway has a new access token for it.
    for own in [&[access.as_str(), refresh.as_str()][..], &[refresh.as_str()]] {
        let (status, body) = with(own, BROWSER_COOKIES - own.len()).unwrap();
        assert_eq!(status, 200);
        let seen: Value = serde_json::from_slice(&body).unwrap();
        let cookie = seen["headers"]["cookie"][0].as_str().unwrap();
        assert_eq!(cookie.split("; ").count(), BROWSER_COOKIES - own.len());
    }
    let envoy = envoy::find_or_install(&mut |_| {}).unwrap();
    // Envoy 1.37 counts fields after it has joined the cookies.
    if envoy::version(&envoy).unwrap() >= (1, 38) {
        assert_eq!(with(&[&access], 300), None, "beyond 256 fields the stream is ended");
    }

    // Over HTTP/1.1 they are one header, and beyond 256 headers there is a response.
    user.cookies.extend((0..BROWSER_COOKIES).map(|number| (format!("c{number}"), number.to_string())));
    assert_eq!(user.get("/orders").await.status, 200);
    assert_eq!(user.get("/api/auth/self").await.status, 200);
    let lines = "x-ordinary: 1\r\n".repeat(300);
    assert_eq!(send(&format!("GET /public/x HTTP/1.1\r\n{HOST}connection: close\r\n{lines}\r\n")).0, 431);
}

#[tokio::test]
async fn well_known_paths_of_the_site_reach_the_upstream() {
    for http2 in VERSIONS {
        for path in [
            "/.well-known",
            "/.well-known/",
            "/.well-known/acme-challenge/x",
            "/.well-known/assetlinks.json",
            "/.well-known/apple-app-site-association",
            "/.well-known/security.txt/",
            "/.well-known/security.txtx",
            "/.well-known/change-password/",
            "/.well-known/jwks.json/",
            "/.well-known/jwks.jsonx",
        ] {
            let seen = received(client(http2).get(path).await);
            assert_eq!(seen["path"], path);
        }
        let keys = client(http2).get("/.well-known/jwks.json?x").await;
        assert!(keys.body["keys"].is_array());
        let password = client(http2).get("/.well-known/change-password").await;
        assert_eq!((password.status, password.header("location")), (303, "/auth/account#change-password"));
        client(http2).get("/.well-known/security.txt").await.assert_rejected(404, "not_found");
    }
}

#[tokio::test]
async fn paths_beside_those_of_the_pages_reach_the_upstream() {
    let mut user = registered(false).await;
    for path in ["/authx", "/auth-admin/x", "/authority/sign-in", "/x/auth/sign-in", "/loginx", "/login.js"] {
        assert_eq!(received(user.get(path).await)["path"], path);
        assert_eq!(client(false).get(path).await.status, 401, "{path}");
    }
    for path in
        ["/auth/sign-in", "/auth//sign-in", "/auth/./sign-in", "/x/../auth/sign-in", "/auth/%73ign-in"]
    {
        let page = client(false).get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
    }
    for path in ["/auth", "/auth/", "/auth/none"] {
        let seen = user.get(path).await;
        assert_eq!(seen.body["headers"], Value::Null, "the companion's: {path} {seen}");
    }
    assert_eq!(user.get("/auth/../orders").await.body["path"], "/orders");
}

#[tokio::test]
async fn headers_that_only_a_proxy_may_set_are_removed() {
    const REMOVED: [&str; 78] = [
        "forwarded",
        "forwarded-for",
        "x-forwarded",
        "x-forwarded-",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "x-forwarded-protocol",
        "x-forwarded-format",
        "x-forwarded-server",
        "x-forwarded-ssl",
        "x-forwarded-user",
        "x-forwarded-client-cert",
        "x-envoy-original-path",
        "x-original-host",
        "x-original-url",
        "x-rewrite-url",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-http-host-override",
        "x-host",
        "x-script-name",
        "x-middleware-subrequest",
        "x-middleware-rewrite",
        "x-invoke-path",
        "x-matched-path",
        "x-now-route-matches",
        "x-sendfile-type",
        "x-accel-mapping",
        "x-accel-redirect",
        "proxy",
        "x-scheme",
        "x-url-scheme",
        "x-proxied-https",
        "front-end-https",
        "x-arr-ssl",
        "client-cert",
        "client-cert-chain",
        "x-arr-clientcert",
        "ms-aspnetcore-clientcert",
        "ssl-client-verify",
        "x-real-ip",
        "x-client-ip",
        "client-ip",
        "true-client-ip",
        "x-cluster-client-ip",
        "cf-connecting-ip",
        "fastly-client-ip",
        "x-appengine-user-ip",
        "x-vercel-forwarded-for",
        "wl-proxy-client-ip",
        "x-ms-client-principal",
        "x-amzn-oidc-identity",
        "x-goog-authenticated-user-email",
        "cf-access-authenticated-user-email",
        "x-auth-request-user",
        "x-webauth-user",
        "x-remote-user",
        "remote-user",
        "x-consumer-username",
        "x-authenticated-userid",
        "x-authentik-username",
        "x-ssl-client-s-dn",
        "x-tls-client-cert",
        "cf-visitor",
        "x-true-client-ip",
        "x-remote-extra-scopes",
        "x-consumer-groups",
        "x-anonymous-consumer",
        "x-webauth-groups",
        "x-appengine-cron",
        "x-vercel-oidc-token",
        "x-ms-token-aad-id-token",
        "x-credential-identifier",
        "x-pomerium-jwt-assertion",
        "tailscale-user-login",
        "x-amzn-mtls-clientcert",
    ];
    // The gateway replaces the client's values of these.
    let replaced =
        [("x-forwarded-for", "8.8.8.8"), ("x-forwarded-proto", "https"), ("x-request-id", "forged")];
    let kept = [("x-requested-with", "XMLHttpRequest"), ("x-nextjs-data", "1"), ("x-csrf-token", "1")];
    for http2 in VERSIONS {
        let mut user = registered(http2).await;
        let removed = REMOVED.map(|name| (name, "forged"));
        let headers = [&removed[..], &replaced, &kept].concat();
        let seen = received(user.call(Method::GET, "/orders", &headers).await);
        for name in REMOVED {
            assert_eq!(seen["headers"][name], Value::Null, "{name}");
        }
        for (name, value) in replaced {
            assert_ne!(seen["headers"][name], json!([value]), "{name}");
            assert_eq!(seen["headers"][name].as_array().unwrap().len(), 1, "{name}");
        }
        for (name, value) in kept {
            assert_eq!(seen["headers"][name], json!([value]), "{name}");
        }
    }
}

#[tokio::test]
async fn client_of_grpc_is_told_the_status_in_its_own_terms() {
    let grpc = ("content-type", "application/grpc+proto");
    let mut user = registered(true).await;
    let mut nobody = client(true);
    for (client, path, status) in [(&mut nobody, "/orders", "16"), (&mut user, "/admin/", "7")] {
        let response = client.call(Method::POST, path, &[grpc]).await;
        // gRPC, "Protocol: responses": a status of HTTP is for proxies that do not know it.
        assert_eq!(response.status, 200, "{response}");
        assert_eq!(response.header("grpc-status"), status, "{response}");
    }
}
