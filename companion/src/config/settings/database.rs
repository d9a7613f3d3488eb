//! Settings of the database.

use super::OPTIONAL;
use crate::config::setting::DefaultValue::{RequiredUnless, Value};
use crate::config::setting::{Example, Form, Group, Setting};

pub(super) const DATABASE: Group = Group {
    title: "Database",
    about: "\
Postgres 15 or later: `DATABASE_URL`, or `DB_HOST`, `DB_USERNAME` and `DB_NAME`.
Parts beside a URL must agree with it. [Postgres](../guide/postgres.md) has the page about failover and poolers.",
    settings: &[
        DATABASE_URL,
        DB_HOST,
        DB_PORT,
        DB_USERNAME,
        DB_PASSWORD,
        DB_NAME,
        DB_POOL_SIZE,
        DB_POOLER_MODE,
        MIGRATION_DATABASE_URL,
        DB_WAIT_SECONDS,
        IMPORT_DATABASE_URL,
    ],
};

pub(in crate::config) const DATABASE_URL: Setting = Setting {
    name: "DATABASE_URL",
    form: Form::Text("a connection string of libpq"),
    default: RequiredUnless("DB_HOST, DB_USERNAME and DB_NAME"),
    is_secret: true,
    summary: "Connection string of Postgres: a URL, or `host=… dbname=…`.",
    notes: "It may name several hosts, as in `postgres://user@a:5432,b:5432/database`; the one that accepts writes is used \
            (`target_session_attrs`, by default `read-write`). In the user and the password of a URL, write `/` as `%2F`, \
            `:` as `%3A`, `@` as `%40` and `%` as `%25`.",
    example: Example::Comment("postgres://user:password@host:port/database"),
    ..OPTIONAL
};

pub(in crate::config) const DB_HOST: Setting = Setting {
    name: "DB_HOST",
    form: Form::Text("a host name or an address; several are comma-separated"),
    default: RequiredUnless(DATABASE_URL.name),
    summary: "Host of Postgres, or several, comma-separated: the one that accepts writes is used.",
    example: Example::Value("127.0.0.1"),
    ..OPTIONAL
};

pub(in crate::config) const DB_PORT: Setting = Setting {
    name: "DB_PORT",
    form: Form::Text("a port from 1 to 65535, or one for each host, comma-separated"),
    default: Value("5432"),
    summary: "Port of Postgres, beside `DB_HOST`: one for all hosts, or one for each.",
    ..OPTIONAL
};

pub(in crate::config) const DB_USERNAME: Setting = Setting {
    name: "DB_USERNAME",
    default: RequiredUnless(DATABASE_URL.name),
    summary: "User that connects to Postgres.",
    example: Example::Value("edgeward"),
    ..OPTIONAL
};

pub(in crate::config) const DB_PASSWORD: Setting = Setting {
    name: "DB_PASSWORD",
    is_secret: true,
    summary: "Password of that user, beside `DB_HOST`.",
    notes: "It is rejected beside `DATABASE_URL`, which has a password of its own.",
    example: Example::Value(""),
    ..OPTIONAL
};

pub(in crate::config) const DB_NAME: Setting = Setting {
    name: "DB_NAME",
    default: RequiredUnless(DATABASE_URL.name),
    summary: "Name of the database.",
    example: Example::Value("edgeward"),
    ..OPTIONAL
};

// Commits at the same time share one write to the disk: with 20 there are enough of them, and a server that takes 100
// connections has room for several companions.
pub(in crate::config) const DB_POOL_SIZE: Setting = Setting {
    name: "DB_POOL_SIZE",
    form: Form::Number { min: 1, max: 1000 },
    default: Value("20"),
    summary: "Number of connections to Postgres, which are made at the start and kept.",
    notes: "If fewer are to be had, the companion starts all the same and logs it. Requests beyond that number wait up to \
            5 s; then the response is 503 with `Retry-After`.",
    ..OPTIONAL
};

pub(in crate::config) const DB_POOLER_MODE: Setting = Setting {
    name: "DB_POOLER_MODE",
    form: Form::OneOf(&["session", "transaction"]),
    default: Value("session"),
    summary: "`transaction` if a pooler before Postgres assigns a server connection for each transaction.",
    notes: "It is PgBouncer's `pool_mode`; without a pooler it is `session`. In transaction mode, each statement is in a \
            transaction, none is prepared by name, and its time limits are set in the transaction.",
    ..OPTIONAL
};

pub(in crate::config) const MIGRATION_DATABASE_URL: Setting = Setting {
    name: "MIGRATION_DATABASE_URL",
    form: Form::Text("a connection string of libpq"),
    is_secret: true,
    summary: "Connection string of the same database without a pooler in transaction mode.",
    notes: "`migrate`, `serve --migrate`, `db create`, `db drop` and `user import` need a session of their own.",
    example: Example::Comment("postgres://user:password@host:port/database"),
    ..OPTIONAL
};

// A container's Postgres makes its files first: some 10 s on a slow disk, a restore of a replica longer.
pub(in crate::config) const DB_WAIT_SECONDS: Setting = Setting {
    name: "DB_WAIT_SECONDS",
    form: Form::Number { min: 0, max: 3600 },
    default: Value("60"),
    summary: "Maximum wait of `serve`, `migrate` and `db` for a Postgres that is not up yet; 0 for none.",
    notes: "A wrong password or a missing database ends the command at once.",
    ..OPTIONAL
};

pub(in crate::config) const IMPORT_DATABASE_URL: Setting = Setting {
    name: "IMPORT_DATABASE_URL",
    form: Form::Text("a connection string of libpq"),
    is_secret: true,
    summary: "Connection string of the database that `edgeward user import --from-postgres` reads.",
    notes: "The service has no use for it.",
    example: Example::Comment("postgres://user:password@host:port/database"),
    ..OPTIONAL
};
