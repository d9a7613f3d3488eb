//! Requests of `curl` commands as browsers and people write them.

use super::*;

fn check(command: &str, expected: &[&str]) {
    let head = parse(command).unwrap_or_else(|invalid| panic!("{command}: {invalid}"));
    let first = format!("{} {} {} {}", head.method, head.authority, head.target, head.has_body);
    let fields = head.headers.iter().map(|(name, value)| format!("{name}: {value}"));
    assert_eq!([first].into_iter().chain(fields).collect::<Vec<_>>(), expected, "{command}");
}

#[test]
fn command_that_a_browser_copies_is_its_request() {
    let chromium = r"curl 'https://shop.example/orders?page=2#top' \
  -H 'accept: text/html,application/xhtml+xml' \
  -H 'accept-language: en' \
  -b 'access_token=a.b.c; theme=dark' \
  -H 'sec-fetch-mode: navigate' \
  -H $'x-note: it\'s' \
  --compressed";
    check(
        chromium,
        &[
            "GET shop.example /orders?page=2 false",
            "accept: text/html,application/xhtml+xml",
            "accept-language: en",
            "sec-fetch-mode: navigate",
            "x-note: it's",
            "accept-encoding: deflate, gzip",
            "user-agent: curl",
            "cookie: access_token=a.b.c; theme=dark",
        ],
    );
    let firefox = r#"curl 'http://localhost:8080/api/auth/login' --compressed -X POST -H 'User-Agent: Firefox' -H 'Accept: */*' -H 'Cookie: a=1' --data-raw '{"email":"ann@example.com"}'"#;
    check(
        firefox,
        &[
            "POST localhost:8080 /api/auth/login true",
            "accept-encoding: deflate, gzip",
            "user-agent: Firefox",
            "accept: */*",
            "cookie: a=1",
        ],
    );
}

#[test]
fn data_implies_post_and_other_options_have_their_methods() {
    let own = ["accept: */*", "user-agent: curl"];
    let check = |arguments: &str, first: &str| {
        let expected = [&[first][..], &own].concat();
        check(&format!("curl {arguments}"), &expected);
    };
    check("https://a.example", "GET a.example / false");
    check("https://a.example?x", "GET a.example /?x false");
    check("https://ann:secret@a.example/x", "GET a.example /x false");
    check("https://a.example/ -d a=1 -d b=2", "POST a.example / true");
    check("https://a.example/ --data-raw @x", "POST a.example / true");
    check("https://a.example/ -d @file", "POST a.example / true");
    check("https://a.example/ -F a=b", "POST a.example / true");
    check("-G https://a.example/ -d a=1 -d b=2", "GET a.example /?a=1&b=2 false");
    check("-I https://a.example/", "HEAD a.example / false");
    check("-sSLXDELETE https://a.example/", "DELETE a.example / false");
    check("-sX DELETE -o /dev/null --url https://a.example/", "DELETE a.example / false");
    check("-H 'Host: b.example' https://a.example/", "GET b.example / false");
    check("-H ':authority: b.example' https://a.example/", "GET a.example / false");
}

#[test]
fn url_is_sent_as_curl_sends_it() {
    let check = |arguments: &str, target: &str| {
        let head = parse(&format!("curl {arguments}")).unwrap();
        assert_eq!((head.authority.as_str(), head.target.as_str()), ("a.example:1", target), "{arguments}");
    };
    check("a.example:1/x", "/x");
    check("a.example:1", "/");
    for (path, expected) in [
        ("/a/../b", "/b"),
        ("/a/./b", "/a/b"),
        ("/a/..", "/"),
        ("/a/.", "/a/"),
        ("/..", "/"),
        ("/a/b/../../../c", "/c"),
        ("/a//../b", "/a/b"),
        ("/a/%2e%2e/b", "/a/%2e%2e/b"),
        ("/a/.../b?x/../y", "/a/.../b?x/../y"),
        ("?x/../y", "/?x/../y"),
    ] {
        check(&format!("https://a.example:1{path}"), expected);
    }
    check("--path-as-is https://a.example:1/a/../b", "/a/../b");
}

#[test]
fn headers_can_be_empty_and_curl_can_be_kept_from_its_own() {
    check(
        "curl https://a.example/ -H 'X-Empty;' -H 'Accept:' -H 'user-agent:'",
        &["GET a.example / false", "x-empty: "],
    );
    check(
        "curl https://a.example/ --json '{}' -A me -e https://b.example/ -u ann:x",
        &[
            "POST a.example / true",
            "content-type: application/json",
            "accept: application/json",
            "user-agent: me",
            "referer: https://b.example/",
            "authorization: Basic YW5uOng=",
        ],
    );
    // curl 7.88 sends the header alone.
    let expected = ["GET a.example / false", "cookie: a=1", "accept: */*", "user-agent: curl"];
    check("curl https://a.example/ -b 'a=2; b=3' -H 'Cookie: a=1'", &expected);
    check("curl https://a.example/ -b 'a=2' -H 'Cookie:'", &[expected[0], expected[2], expected[3]]);
}

#[test]
fn option_that_is_not_understood_is_named_without_its_value() {
    for (command, expected) in [
        ("", InvalidCurl::NotCurl),
        ("wget https://a.example/", InvalidCurl::NotCurl),
        ("curl", InvalidCurl::UrlMissing),
        ("curl ftp://a.example", InvalidCurl::UrlMalformed),
        ("curl https:///x", InvalidCurl::UrlMalformed),
        ("curl https://a.example https://b.example", InvalidCurl::UrlRepeated),
        (
            "curl https://a.example --oauth2-bearer secret",
            InvalidCurl::OptionUnknown("--oauth2-bearer".into()),
        ),
        ("curl https://a.example --cookie=secret", InvalidCurl::OptionUnknown("--cookie".into())),
        ("curl https://a.example -sZ", InvalidCurl::OptionUnknown("-Z".into())),
        ("curl https://a.example -H", InvalidCurl::ValueMissing("-H".into())),
        ("curl https://a.example -H secret", InvalidCurl::HeaderMalformed("-H".into())),
        ("curl https://a.example -b jar", InvalidCurl::ReadsFile("-b".into())),
        ("curl https://a.example --header @file", InvalidCurl::ReadsFile("--header".into())),
    ] {
        let invalid = parse(command).unwrap_err();
        assert_eq!(invalid, expected, "{command}");
        assert!(!invalid.to_string().contains("secret"), "{invalid}");
    }
}
