//! Settings that are accepted, and mistakes, all of which are named at once. No process environment is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use edgeward_wire::Origin;
use secrecy::ExposeSecret;

use super::*;

mod secrets;
mod table;

const ORIGINS: &str = "CLIENT_UI_DOMAIN: number 1 is not an origin such as https://app.example.com: it does not start with a scheme that pages have, such as https:// or capacitor://";
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn given(more: &[(&str, &str)]) -> BTreeMap<String, String> {
    [("DATABASE_URL", "postgres://ada:pw@db.example:5433/edgeward"), ("REFRESH_JWT_SECRET", SECRET)]
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn check(more: &[(&str, &str)], expected: &[&str]) {
    let told = match read::<Config>(&given(more)) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.0.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(told, expected, "{more:?}");
}

#[test]
fn the_defaults_are_the_safe_ones() {
    let config = read::<Config>(&given(&[])).unwrap();
    assert_eq!(config.http.bind_address.to_string(), "127.0.0.1");
    assert_eq!((config.http.port, config.http.internal_port), (5501, 5502));
    assert_eq!(config.http.base_path, "/api");
    assert!(config.http.origins.is_empty());
    assert_eq!(config.http.trusted_hops, 1);
    assert!(config.feed.secrets.is_empty());
    assert!(config.cookies.secure);
    assert_eq!(config.hashing.bcrypt_cost, 12);
    assert_eq!(config.tokens.access_ttl, time::Duration::hours(1));
    let lifetimes = config.tokens.lifetimes;
    assert_eq!((lifetimes.idle, lifetimes.absolute), (time::Duration::days(30), time::Duration::days(180)));
    assert_eq!(lifetimes.grace, time::Duration::seconds(10));
    assert_eq!((config.tokens.issuer.as_str(), config.tokens.audience.as_str()), ("edgeward", "edgeward"));
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn every_mistake_is_named_at_once() {
    check(
        &[
            ("APP_ENV", "production"),
            ("PORT", "http"),
            ("DATABASE_URL", ""),
            ("REFRESH_JWT_SECRET", "short"),
            ("FEED_SECRET", "short"),
            ("CLIENT_UI_DOMAIN", "*"),
            ("EDGEWARD_PROT", "1"),
            ("BCRYPT_COST", "3"),
            ("COOKIE_PREFIX", "host-"),
            ("COOKIE_DOMAIN", "..."),
            ("LOG_FORMAT", "xml"),
            ("RUST_LOG", "=loud"),
        ],
        &[
            "EDGEWARD_PROT is not a setting; did you mean PORT?",
            "PORT is not a whole number from 0 to 65535",
            ORIGINS,
            "DATABASE_URL (or DB_HOST, DB_USERNAME, DB_NAME) is not set",
            "REFRESH_JWT_SECRET has a secret of fewer than 32 characters; make one with: openssl rand -hex 32",
            "FEED_SECRET has a secret of fewer than 32 characters; make one with: openssl rand -hex 32",
            "APP_ENV is not one of: dev, test, prod",
            "BCRYPT_COST is not a whole number from 4 to 16",
            "COOKIE_DOMAIN is not a domain such as example.com",
            "COOKIE_PREFIX is not one of: __Host-, __Secure-, (empty)",
            "LOG_FORMAT is not one of: json, text",
            "RUST_LOG is not a log filter such as info,sqlx=warn",
        ],
    );
}

#[test]
fn single_settings_are_held_to_their_limits() {
    check(&[("ACCESS_TTL_SECONDS", "59")], &["ACCESS_TTL_SECONDS is not a whole number from 60 to 86400"]);
    check(&[("ACCESS_TTL_SECONDS", "86400")], &[]);
    let told = "REFRESH_GRACE_SECONDS is not a whole number from 0 to 30";
    check(&[("REFRESH_GRACE_SECONDS", "31")], &[told]);
    check(&[("REFRESH_GRACE_SECONDS", "0"), ("SESSION_MAX_SECONDS", "60")], &[]);
    let told = "SESSION_MAX_SECONDS is not a whole number from 60 to 315360000";
    check(&[("SESSION_MAX_SECONDS", "0")], &[told]);
    check(&[("BCRYPT_COST", "9")], &["BCRYPT_COST is not a whole number from 10 to 16"]);
    check(&[("BCRYPT_COST", "4"), ("APP_ENV", "test")], &[]);
    check(&[("LOG_FORMAT", "xml")], &["LOG_FORMAT is not one of: json, text"]);
    check(&[("BASE_PATH", "/"), ("PAGES_PATH", "/pages")], &[]);
    check(&[("BASE_PATH", "api")], &["BASE_PATH is not a path such as /api (/ for none)"]);
    check(&[("BASE_PATH", "/a/../b")], &["BASE_PATH is not a path such as /api (/ for none)"]);
    check(&[("BASE_PATH", "/{x}")], &["BASE_PATH is not a path such as /api (/ for none)"]);
    check(&[("PORT", "5502")], &["INTERNAL_PORT cannot be had together with the same PORT"]);
    check(&[("PORT", "0"), ("INTERNAL_PORT", "0")], &[]);
    for names in ["*", "content-type, *", "a b", "x-é"] {
        let told = "CORS_ALLOW_HEADERS is not names of request headers such as content-type, sentry-trace (* is not \
                    one: browsers ignore it where cookies are sent)";
        check(&[("CORS_ALLOW_HEADERS", names)], &[told]);
    }
    check(&[("CORS_ALLOW_HEADERS", "Content-Type,X-Own, ")], &[]);
    check(&[("TRUSTED_HOPS", "11")], &["TRUSTED_HOPS is not a whole number from 0 to 10"]);
    check(&[("TRUSTED_HOPS", "0")], &[]);
    for issuer in ["a\nb", "a\"b", "a\\b", &"a".repeat(57)] {
        let told = "ISSUER is not 1 to 56 bytes without control characters, quotes and backslashes";
        check(&[("ISSUER", issuer)], &[told]);
    }
    check(&[("ISSUER", &"a".repeat(56)), ("AUDIENCE", "https://example.com/ é")], &[]);
}

#[test]
fn origins_are_exact_and_may_be_several() {
    let listed =
        "http://localhost:5173, https://App.example/ ,capacitor://localhost,http://[0:0:0:0:0:0:0:1]";
    let origins = read::<Config>(&given(&[("CLIENT_UI_DOMAIN", listed)])).unwrap().http.origins;
    let origins: Vec<&str> = origins.iter().map(Origin::as_str).collect();
    assert_eq!(
        origins,
        ["http://localhost:5173", "https://app.example", "capacitor://localhost", "http://[::1]"]
    );
    check(
        &[("CLIENT_UI_DOMAIN", "https://app.example, https://app.example/path, *")],
        &[
            "CLIENT_UI_DOMAIN: number 2 is not an origin such as https://app.example.com: something other than a port follows the host, or user information stands before it",
            "CLIENT_UI_DOMAIN: number 3 is not an origin such as https://app.example.com: it does not start with a scheme that pages have, such as https:// or capacitor://",
        ],
    );
}

#[test]
fn a_cookie_prefix_keeps_its_promise() {
    check(&[("COOKIE_PREFIX", "__Host-")], &[]);
    check(&[("COOKIE_PREFIX", "__Secure-"), ("COOKIE_DOMAIN", "example.com")], &[]);
    check(&[("COOKIE_PREFIX", "host-")], &["COOKIE_PREFIX is not one of: __Host-, __Secure-, (empty)"]);
    check(
        &[("COOKIE_PREFIX", "__Host-"), ("COOKIE_DOMAIN", "example.com")],
        &["COOKIE_DOMAIN cannot be had together with COOKIE_PREFIX=__Host-"],
    );
    check(
        &[("COOKIE_PREFIX", "__Secure-"), ("APP_ENV", "dev")],
        &["COOKIE_PREFIX cannot be had together with APP_ENV=dev"],
    );
    for domain in ["a; b", "...", ".", "example..com", "-example.com", ".example.com"] {
        check(&[("COOKIE_DOMAIN", domain)], &["COOKIE_DOMAIN is not a domain such as example.com"]);
    }
}

#[test]
fn cookies_for_every_site_are_secure_ones_alone() {
    let same_site = |more| read::<Config>(&given(more)).unwrap().cookies.same_site;
    assert_eq!(same_site(&[]), cookie::SameSite::Lax);
    assert_eq!(same_site(&[("COOKIE_SAME_SITE", "Strict")]), cookie::SameSite::Strict);
    assert_eq!(same_site(&[("COOKIE_SAME_SITE", "none")]), cookie::SameSite::None);
    assert_eq!(same_site(&[("COOKIE_SAME_SITE", "strict"), ("APP_ENV", "dev")]), cookie::SameSite::Strict);
    check(&[("COOKIE_SAME_SITE", "off")], &["COOKIE_SAME_SITE is not one of: lax, strict, none"]);
    check(
        &[("COOKIE_SAME_SITE", "none"), ("APP_ENV", "dev")],
        &[
            "COOKIE_SAME_SITE cannot be had together with APP_ENV=dev: a browser keeps a cookie of SameSite=None \
           only if it is Secure",
        ],
    );
}

#[test]
fn the_database_may_be_given_in_parts() {
    let parts = [
        ("DATABASE_URL", ""),
        ("DB_HOST", "h"),
        ("DB_USERNAME", "u"),
        ("DB_PASSWORD", "p"),
        ("DB_NAME", "n"),
    ];
    let config = read::<Config>(&given(&parts)).unwrap();
    assert_eq!(config.database.to_string(), "database \"n\" at h:5432");
    check(
        &[("DATABASE_URL", ""), ("DB_HOST", "h"), ("DB_PORT", "0")],
        &[
            "DB_PORT is not a port from 1 to 65535, or one for each host, comma-separated",
            "DB_USERNAME is not set",
            "DB_NAME is not set",
        ],
    );
    check(&[("DB_HOST", "db.example"), ("DB_PORT", "5433")], &[]);
    check(&[("DB_PASSWORD", "pw")], &["DB_PASSWORD cannot be had together with DATABASE_URL"]);
    check(&[("DB_HOST", "other")], &["DB_HOST contradicts DATABASE_URL; set one of them"]);
    check(
        &[("DATABASE_URL", "mysql://a:hunter2@h/d")],
        &["DATABASE_URL is not of the form postgres://user:password@host:port/database"],
    );
}

#[test]
fn several_hosts_may_be_given_in_parts() {
    let parts = [("DATABASE_URL", ""), ("DB_USERNAME", "u"), ("DB_NAME", "n")];
    let told = |more: &[(&str, &str)]| {
        let config =
            read::<Config>(&given(&[&parts, more].concat())).map_err(|mistakes| mistakes.to_string());
        config.map_or_else(|mistakes| mistakes, |config| config.database.to_string())
    };
    assert_eq!(told(&[("DB_HOST", "a,b")]), "database \"n\" at a:5432, b:5432");
    assert_eq!(told(&[("DB_HOST", "a, b"), ("DB_PORT", "1,2")]), "database \"n\" at a:1, b:2");
    let counts = "DB_PORT is not of one port for all hosts, or one for each: there are 3 hosts and 2 ports";
    assert!(told(&[("DB_HOST", "a,b,c"), ("DB_PORT", "1,2")]).ends_with(counts));
    let empty = "DB_HOST is not of hosts alone; one of those between the commas is empty";
    assert!(told(&[("DB_HOST", "a,,c")]).ends_with(empty));
    let url = ("DATABASE_URL", "postgres://u@a:1,b:2/n");
    check(&[url, ("DB_HOST", "a,b"), ("DB_PORT", "1,2")], &[]);
    check(&[url, ("DB_PORT", "1")], &["DB_PORT contradicts DATABASE_URL; set one of them"]);
}

#[test]
fn direct_connection_is_used_where_a_session_is_needed() {
    let direct = ("MIGRATION_DATABASE_URL", "postgres://u@direct:1/edgeward");
    let database = read::<Config>(&given(&[direct, ("DB_POOLER_MODE", "transaction")])).unwrap().database;
    assert_eq!(database.pooler_mode, PoolerMode::Transaction);
    assert_eq!(database.direct().to_string(), "database \"edgeward\" at direct:1");
    assert_eq!(database.direct().pooler_mode, PoolerMode::Session);
    let database = read::<Config>(&given(&[])).unwrap().database;
    assert_eq!(database.direct().to_string(), database.to_string());
    check(&[("DB_POOLER_MODE", "statement")], &["DB_POOLER_MODE is not one of: session, transaction"]);
}

#[test]
fn commands_about_keys_need_no_database_and_no_secret() {
    assert!(read::<KeyStore>(&BTreeMap::<String, String>::new()).is_ok());
}
