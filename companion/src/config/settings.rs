//! The table of all settings. Their readers take names, limits and defaults from here, and so do README.md,
//! `.env.example` and `docs/reference/settings.md`: `cargo xtask settings` writes these anew.

use edgeward_wire::access_token;

use super::setting::DefaultValue::{Required, RequiredUnless, Unset, Value};
use super::setting::{Example, Form, Group, Setting};

/// Every setting, by subject.
pub const GROUPS: &[Group] = &[
    Group { title: "Environment", about: "", settings: &[APP_ENV] },
    Group {
        title: "Database",
        about: "\
Postgres 15 or later: `DATABASE_URL`, or `DB_HOST`, `DB_USERNAME` and `DB_NAME`.
Parts beside a URL must agree with it. A PgBouncer in between must be in session mode.",
        settings: &[
            DATABASE_URL,
            DB_HOST,
            DB_PORT,
            DB_USERNAME,
            DB_PASSWORD,
            DB_NAME,
            DB_POOL_SIZE,
            DB_WAIT_SECONDS,
            IMPORT_DATABASE_URL,
        ],
    },
    Group {
        title: "Secrets",
        about: "\
Each may be several, comma-separated, newest first: an old one stays until what it signed has expired.
`openssl rand -hex 32` makes one.",
        settings: &[REFRESH_JWT_SECRET, FEED_SECRET],
    },
    Group { title: "Front ends", about: "", settings: &[CLIENT_UI_DOMAIN, CORS_ALLOW_HEADERS] },
    Group {
        title: "Listeners",
        about: "",
        settings: &[
            PORT,
            INTERNAL_PORT,
            BIND_ADDRESS,
            BASE_PATH,
            API_DOCS,
            TRUSTED_HOPS,
            DRAIN_DELAY_SECONDS,
        ],
    },
    Group {
        title: "Tokens and sessions",
        about: "",
        settings: &[
            ISSUER,
            AUDIENCE,
            CERTS_DIR,
            ACCESS_TTL_SECONDS,
            REFRESH_TTL_SECONDS,
            SESSION_MAX_SECONDS,
            REFRESH_GRACE_SECONDS,
        ],
    },
    Group { title: "Cookies", about: "", settings: &[COOKIE_PREFIX, COOKIE_DOMAIN, COOKIE_SAME_SITE] },
    Group {
        title: "Passwords",
        about: "",
        settings: &[BCRYPT_COST, PASSWORD_MIN_LENGTH, PASSWORD_MIN_SCORE],
    },
    Group {
        title: "Limits on guessing",
        about: "\
Attempts at once, and the time in which they come back: `20/20m` is 20, and then one a minute. All companions count together.
[Guessing](../guide/guessing.md) says what each limit is for.",
        settings: &[LIMIT_ACCOUNT, LIMIT_ADDRESS, LIMIT_REGISTRATION],
    },
    Group { title: "Logs", about: "", settings: &[LOG_FORMAT, RUST_LOG] },
    Group {
        title: "Traces",
        about: "",
        settings: &[OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER_ARG],
    },
];

/// Every setting.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    GROUPS.iter().flat_map(|group| group.settings)
}

/// Base of the settings below: optional, and no secret.
const OPTIONAL: Setting = Setting {
    name: "",
    form: Form::Text("a text"),
    min_in_prod: None,
    default: Unset,
    default_in_dev: None,
    is_secret: false,
    summary: "",
    notes: "",
    example: Example::Default,
};

pub(super) const APP_ENV: Setting = Setting {
    name: "APP_ENV",
    form: Form::OneOf(&["dev", "test", "prod"]),
    default: Value("prod"),
    summary: "Selects `.env.<APP_ENV>`, so set it outside that file; only `dev` leaves `Secure` off the cookies.",
    notes: "`test` is like `prod`, but allows cheaper password hashes.",
    example: Example::Comment("dev"),
    ..OPTIONAL
};

pub(super) const DATABASE_URL: Setting = Setting {
    name: "DATABASE_URL",
    form: Form::Text("a connection string of libpq"),
    default: RequiredUnless("DB_HOST, DB_USERNAME and DB_NAME"),
    is_secret: true,
    summary: "Connection string of Postgres: a URL, or `host=… dbname=…`.",
    notes: "It names one host, by `host` or by `hostaddr`. In the user and the password of a URL, write `/` as `%2F`, `:` \
            as `%3A`, `@` as `%40` and `%` as `%25`.",
    example: Example::Comment("postgres://user:password@host:port/database"),
    ..OPTIONAL
};

pub(super) const DB_HOST: Setting = Setting {
    name: "DB_HOST",
    form: Form::Text("a host name or an address"),
    default: RequiredUnless(DATABASE_URL.name),
    summary: "Host of Postgres.",
    example: Example::Value("127.0.0.1"),
    ..OPTIONAL
};

pub(super) const DB_PORT: Setting = Setting {
    name: "DB_PORT",
    form: Form::Number { min: 1, max: 65_535 },
    default: Value("5432"),
    summary: "Port of Postgres, beside `DB_HOST`.",
    ..OPTIONAL
};

pub(super) const DB_USERNAME: Setting = Setting {
    name: "DB_USERNAME",
    default: RequiredUnless(DATABASE_URL.name),
    summary: "User that connects to Postgres.",
    example: Example::Value("edgeward"),
    ..OPTIONAL
};

pub(super) const DB_PASSWORD: Setting = Setting {
    name: "DB_PASSWORD",
    is_secret: true,
    summary: "Password of that user, beside `DB_HOST`.",
    notes: "It is rejected beside `DATABASE_URL`, which has a password of its own.",
    example: Example::Value(""),
    ..OPTIONAL
};

pub(super) const DB_NAME: Setting = Setting {
    name: "DB_NAME",
    default: RequiredUnless(DATABASE_URL.name),
    summary: "Name of the database.",
    example: Example::Value("edgeward"),
    ..OPTIONAL
};

// Commits at the same time share one write to the disk: with 20 there are enough of them, and a server that takes 100
// connections has room for several companions.
pub(super) const DB_POOL_SIZE: Setting = Setting {
    name: "DB_POOL_SIZE",
    form: Form::Number { min: 1, max: 1000 },
    default: Value("20"),
    summary: "Number of connections to Postgres, which are made at the start and kept.",
    notes: "If fewer are to be had, the companion starts all the same and logs it. Requests beyond that number wait up to \
            5 s; then the response is 503 with `Retry-After`.",
    ..OPTIONAL
};

// A container's Postgres makes its files first: some 10 s on a slow disk, a restore of a replica longer.
pub(super) const DB_WAIT_SECONDS: Setting = Setting {
    name: "DB_WAIT_SECONDS",
    form: Form::Number { min: 0, max: 3600 },
    default: Value("60"),
    summary: "Maximum wait of `serve`, `migrate` and `db` for a Postgres that is not up yet; 0 for none.",
    notes: "A wrong password or a missing database ends the command at once.",
    ..OPTIONAL
};

pub(super) const IMPORT_DATABASE_URL: Setting = Setting {
    name: "IMPORT_DATABASE_URL",
    form: Form::Text("a connection string of libpq"),
    is_secret: true,
    summary: "Connection string of the database that `edgeward user import --from-postgres` reads.",
    notes: "The service has no use for it.",
    example: Example::Comment("postgres://user:password@host:port/database"),
    ..OPTIONAL
};

pub(super) const REFRESH_JWT_SECRET: Setting = Setting {
    name: "REFRESH_JWT_SECRET",
    // HS256 wants a key at least as long as its digest (RFC 7518 §3.2).
    form: Form::Secrets { min_chars: 32 },
    default: Required,
    is_secret: true,
    summary: "Signs refresh tokens; of several, the first signs and all verify.",
    notes: "\
To replace it where one companion runs, put the new one first, and remove the old one after `REFRESH_TTL_SECONDS`. Where
several companions run:

1. Add the new one at the end and restart all of them.
2. Move it to the front and restart all of them.
3. Remove the old one after `REFRESH_TTL_SECONDS`.

A companion that does not have the new one yet takes the others' tokens for forged ones.",
    example: Example::Value(""),
    ..OPTIONAL
};

pub(super) const FEED_SECRET: Setting = Setting {
    name: "FEED_SECRET",
    form: REFRESH_JWT_SECRET.form,
    is_secret: true,
    summary: "Secret that the filter presents on `INTERNAL_PORT`; if none is set, all who reach that port are served.",
    notes: "The filter has it as `feed.secret` and as `refresh.secret`. It is rotated like `REFRESH_JWT_SECRET`.",
    ..OPTIONAL
};

pub(super) const CLIENT_UI_DOMAIN: Setting = Setting {
    name: "CLIENT_UI_DOMAIN",
    form: Form::Text("origins such as https://app.example.com, comma-separated"),
    summary: "Origins whose pages may call the API with cookies (CORS); the filter has them in `allowed_origins`.",
    notes: "`127.0.0.1` and `localhost` are two sites: a page keeps its login only if it calls the gateway by the page's \
            own host. See [A front end of your own](../guide/front-end.md).",
    example: Example::Value("http://127.0.0.1:5173,http://localhost:5173"),
    ..OPTIONAL
};

// The companion reads the first three, and what browsers send for languages; the others are added to every request by
// the libraries named, which a front end has no say over. None of them changes how the companion reads a request.
pub(super) const CORS_ALLOW_HEADERS: Setting = Setting {
    name: "CORS_ALLOW_HEADERS",
    form: Form::Text(
        "names of request headers such as content-type, sentry-trace (* is not one: browsers ignore it where cookies \
         are sent)",
    ),
    default: Value(
        "content-type, authorization, x-request-id, accept, accept-language, \
         content-language, cache-control, pragma, \
         x-requested-with, x-csrf-token, x-xsrf-token, \
         traceparent, tracestate, baggage, \
         b3, x-b3-traceid, x-b3-spanid, x-b3-parentspanid, x-b3-sampled, x-b3-flags, \
         sentry-trace, newrelic, elastic-apm-traceparent, \
         x-datadog-origin, x-datadog-parent-id, x-datadog-sampling-priority, x-datadog-trace-id, \
         request-id, request-context, x-amzn-trace-id",
    ),
    summary: "Request headers that pages of those origins may send, comma-separated, instead of the usual ones.",
    notes: "The default has the headers that the API reads, and those that tracing and error reporting add \
            (`traceparent`, `baggage`, `sentry-trace` …).",
    example: Example::Comment("content-type,x-request-id,sentry-trace"),
    ..OPTIONAL
};

pub(super) const PORT: Setting = Setting {
    name: "PORT",
    form: Form::Number { min: 0, max: 65_535 },
    default: Value("5501"),
    summary: "Port of the API and the login page; 0 for any free one.",
    ..OPTIONAL
};

pub(super) const INTERNAL_PORT: Setting = Setting {
    name: "INTERNAL_PORT",
    form: PORT.form,
    default: Value("5502"),
    summary: "Port of edge feed, edge refresh, session check, metrics and health; 0 for any free one. Never publish it.",
    ..OPTIONAL
};

pub(super) const BIND_ADDRESS: Setting = Setting {
    name: "BIND_ADDRESS",
    form: Form::Text("an IP address"),
    default: Value("127.0.0.1"),
    summary: "Address of both listeners.",
    ..OPTIONAL
};

pub(super) const BASE_PATH: Setting = Setting {
    name: "BASE_PATH",
    form: Form::Text("a path such as /api (/ for none)"),
    default: Value("/api"),
    summary: "Path above the API's routes.",
    ..OPTIONAL
};

pub(super) const API_DOCS: Setting = Setting {
    name: "API_DOCS",
    form: Form::OneOf(&["on", "off"]),
    default: Value("on"),
    summary: "Whether the API describes itself: `/docs` for people and `/openapi.json` for programs, below `BASE_PATH`.",
    notes: "Both are public, and say nothing of any user.",
    ..OPTIONAL
};

pub(super) const TRUSTED_HOPS: Setting = Setting {
    name: "TRUSTED_HOPS",
    // One is the gateway. More than ten proxies in a row is a mistake.
    form: Form::Number { min: 0, max: 10 },
    default: Value("1"),
    summary: "Number of proxies in front of the companion that append to `x-forwarded-for`.",
    notes: "The client's address in the session list is that many entries from the end; with 0 it is the other end of the \
            connection. `envoy/envoy.yaml` writes the client's address alone, so behind it this is 1, however many \
            proxies stand in front of Envoy.",
    ..OPTIONAL
};

pub(super) const DRAIN_DELAY_SECONDS: Setting = Setting {
    name: "DRAIN_DELAY_SECONDS",
    form: Form::Number { min: 0, max: 60 },
    // Two of the gateway's health checks, which come once a second.
    default: Value("2"),
    summary: "Time after SIGTERM in which `/readyz` replies 503 and the service goes on, so that balancers notice.",
    notes: "Requests under way then have 10 s. SIGINT, or a second signal, does not wait.",
    ..OPTIONAL
};

pub(super) const ISSUER: Setting = Setting {
    name: "ISSUER",
    // With the longest issuer and audience and the largest of everything else, a token stays below 1 KiB.
    form: Form::Name { max_bytes: 56 },
    default: Value("edgeward"),
    summary: "Issuer (`iss`) of access tokens, as in the filter's `issuer`.",
    notes: "The limit keeps a token below 1 KiB.",
    ..OPTIONAL
};

pub(super) const AUDIENCE: Setting = Setting {
    name: "AUDIENCE",
    default: Value(access_token::DEFAULT_AUDIENCE),
    summary: "Audience (`aud`) of access tokens, as in the filter's `audience`.",
    ..ISSUER
};

pub(super) const CERTS_DIR: Setting = Setting {
    name: "CERTS_DIR",
    form: Form::Text("a path"),
    default: Value("certs"),
    summary: "Folder of the signing keys, which `edgeward keys generate` makes.",
    notes: "They are RSA keys of 2,048 or 3,072 bits. A running service follows changes in the folder.",
    ..OPTIONAL
};

pub(super) const ACCESS_TTL_SECONDS: Setting = Setting {
    name: "ACCESS_TTL_SECONDS",
    form: Form::Number { min: 60, max: access_token::MAX_LIFETIME_S as u64 },
    default: Value("3600"),
    summary: "Lifetime of an access token.",
    notes: "The gateway rejects the tokens of a session that was logged out for this long and ten minutes more. After \
            the setting was lowered, tokens from before may outlive a logout. The tokens of users who logged out \
            everywhere, or were changed by a command, are rejected for a day.",
    ..OPTIONAL
};

pub(super) const REFRESH_TTL_SECONDS: Setting = Setting {
    name: "REFRESH_TTL_SECONDS",
    form: Form::Number { min: 60, max: 31_536_000 },
    default: Value("2592000"),
    summary: "Lifetime of a session without a refresh.",
    ..OPTIONAL
};

// Without a maximum, a thief who refreshes in step with the owner keeps the session for ever.
pub(super) const SESSION_MAX_SECONDS: Setting = Setting {
    name: "SESSION_MAX_SECONDS",
    form: Form::Number { min: 60, max: 315_360_000 },
    default: Value("15552000"),
    summary: "Maximum lifetime of a session, however it is used.",
    ..OPTIONAL
};

pub(super) const REFRESH_GRACE_SECONDS: Setting = Setting {
    name: "REFRESH_GRACE_SECONDS",
    // Half of the shortest access token: a repeated one is as old as this at most, and still good for a while.
    form: Form::Number { min: 0, max: 30 },
    default: Value("10"),
    summary: "Time in which a replaced refresh token counts as a late request and not as a stolen one.",
    ..OPTIONAL
};

pub(super) const COOKIE_PREFIX: Setting = Setting {
    name: "COOKIE_PREFIX",
    form: Form::OneOf(&["__Host-", "__Secure-", ""]),
    summary: "Prefix of the cookies' names, also in the filter's `cookies`; `__Host-` ties them to one host over HTTPS.",
    notes: "Use `__Host-`, so that no sibling subdomain can plant a cookie of our name. A prefix is rejected with \
            `APP_ENV=dev`, and `__Host-` beside `COOKIE_DOMAIN`.",
    example: Example::Comment("__Host-"),
    ..OPTIONAL
};

pub(super) const COOKIE_DOMAIN: Setting = Setting {
    name: "COOKIE_DOMAIN",
    form: Form::Text("a domain such as example.com"),
    summary: "Domain whose hosts all get the cookies; without it, the gateway's host alone.",
    notes: "If you change it for a site that is in use, change the prefix too. Browsers keep their old cookies beside the \
            new ones, and are refused (`cookie_repeated`) until these expire.",
    example: Example::Comment("example.com"),
    ..OPTIONAL
};

pub(super) const COOKIE_SAME_SITE: Setting = Setting {
    name: "COOKIE_SAME_SITE",
    form: Form::OneOf(&["lax", "strict", "none"]),
    default: Value("lax"),
    summary: "Sites from whose pages browsers send the cookies; `none` is for a front end on another site over HTTPS.",
    notes: "`none` is rejected with `APP_ENV=dev`: browsers keep such a cookie only if it is `Secure`. \
            [A front end of your own](../guide/front-end.md) says what each value asks of a front end.",
    ..OPTIONAL
};

pub(super) const BCRYPT_COST: Setting = Setting {
    name: "BCRYPT_COST",
    // Below 10 a stolen table is guessed quickly; at 16 one login takes some four seconds.
    form: Form::Number { min: 4, max: 16 },
    min_in_prod: Some(10),
    default: Value("12"),
    summary: "Cost of a password hash; each step doubles the work.",
    ..OPTIONAL
};

// The least is that of NIST SP 800-63B-4 §3.1.1.2 for a password beside another factor; the greatest leaves room for a few
// characters of two bytes within bcrypt's 72.
pub(super) const PASSWORD_MIN_LENGTH: Setting = Setting {
    name: "PASSWORD_MIN_LENGTH",
    form: Form::Number { min: 8, max: 64 },
    default: Value("8"),
    summary: "Minimum length of a new password, in characters.",
    notes: "NIST SP 800-63B-4 §3.1.1.2 asks for 15 where a password is the only factor.",
    ..OPTIONAL
};

pub(super) const PASSWORD_MIN_SCORE: Setting = Setting {
    name: "PASSWORD_MIN_SCORE",
    form: Form::Number { min: 1, max: 4 },
    default: Value("1"),
    summary: "Minimum strength of a new password: the score of zxcvbn.",
    notes: "2 is a million guesses, 3 a hundred millions, 4 ten thousand millions. With any, a password is rejected that \
            30,000 guesses find: one of the most used, or the user's name or e-mail address with little else.",
    ..OPTIONAL
};

// NIST SP 800-63B-4 §3.2.2 allows 100 failures in a row. People give up or remember within 20, and one a minute is an hour
// and twenty minutes until the hundredth.
pub(super) const LIMIT_ACCOUNT: Setting = Setting {
    name: "LIMIT_ACCOUNT",
    form: Form::Text("attempts and a time such as 20/20m: 1 to 10000, in 1s to 24h"),
    default: Value("20/20m"),
    summary: "Failed logins of an account: of all strangers together, and of each device that signed in to it before.",
    notes: "A login that succeeds fills its bucket again. After 100 failures in a row the password is no longer \
            compared for strangers, or for that device, whatever this limit is.",
    ..OPTIONAL
};

// A class of thirty signs in at the same time, some of them twice.
pub(super) const LIMIT_ADDRESS: Setting = Setting {
    name: "LIMIT_ADDRESS",
    form: LIMIT_ACCOUNT.form,
    default: Value("60/10m"),
    summary: "Logins from one address (a /64 of IPv6) by devices that are not known to the account.",
    notes: "Ten times as many are allowed from its network (/24 of IPv4, /48 of IPv6). A login that succeeds counts too. \
            Loopback has no limit. If all requests seem to have one address, set the gateway's \
            `xff_num_trusted_hops`; without our gateway, `TRUSTED_HOPS`.",
    ..OPTIONAL
};

pub(super) const LIMIT_REGISTRATION: Setting = Setting {
    name: "LIMIT_REGISTRATION",
    form: LIMIT_ACCOUNT.form,
    default: Value("30/1h"),
    summary: "Registrations from one address (a /64 of IPv6), and ten times as many from its network.",
    notes: "Loopback has no limit.",
    ..OPTIONAL
};

pub(super) const LOG_FORMAT: Setting = Setting {
    name: "LOG_FORMAT",
    form: Form::OneOf(&["json", "text"]),
    default: Value("json"),
    default_in_dev: Some("text"),
    summary: "Form of a log line: a JSON object, or text for people.",
    example: Example::Value("text"),
    ..OPTIONAL
};

pub(super) const RUST_LOG: Setting = Setting {
    name: "RUST_LOG",
    form: Form::Text("a log filter such as info,sqlx=warn"),
    default: Value("info"),
    summary: "Least level of logged events: `error`, `warn`, `info`, `debug` or `trace`, also by part: `info,sqlx=warn`.",
    notes: "Audit events are `info`, with the target `audit`: `warn,audit=info` keeps them.",
    ..OPTIONAL
};

pub(super) const OTEL_EXPORTER_OTLP_ENDPOINT: Setting = Setting {
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    form: Form::Text("a URL such as http://127.0.0.1:4318, without TLS"),
    summary: "Collector to which traces are sent by OTLP over HTTP; without it, none are.",
    notes: "A collector elsewhere is reached through one on the same machine. See [Traces](../guide/tracing.md).",
    example: Example::Comment("http://127.0.0.1:4318"),
    ..OPTIONAL
};

pub(super) const OTEL_SERVICE_NAME: Setting = Setting {
    name: "OTEL_SERVICE_NAME",
    form: Form::Name { max_bytes: 64 },
    default: Value("edgeward"),
    summary: "Name of the companion in its traces.",
    ..OPTIONAL
};

pub(super) const OTEL_TRACES_SAMPLER_ARG: Setting = Setting {
    name: "OTEL_TRACES_SAMPLER_ARG",
    form: Form::Text("a number from 0 to 1"),
    default: Value("1"),
    summary: "Ratio of sampled traces among those that begin in the companion; a caller's decision is kept.",
    ..OPTIONAL
};
