//! Settings of secrets.

use super::OPTIONAL;
use crate::config::setting::DefaultValue::Required;
use crate::config::setting::{Example, Form, Group, Setting};

pub(super) const SECRETS: Group = Group {
    title: "Secrets",
    about: "\
Each may be several, comma-separated, newest first: an old one stays until what it signed has expired.
`openssl rand -hex 32` makes one.",
    settings: &[REFRESH_JWT_SECRET, FEED_SECRET, KEY_ENCRYPTION_KEY],
};

pub(in crate::config) const REFRESH_JWT_SECRET: Setting = Setting {
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

pub(in crate::config) const FEED_SECRET: Setting = Setting {
    name: "FEED_SECRET",
    form: REFRESH_JWT_SECRET.form,
    is_secret: true,
    summary: "Secret that the filter presents on `INTERNAL_PORT`; if none is set, all who reach that port are served.",
    notes: "The filter has it as `feed.secret` and as `refresh.secret`. It is rotated like `REFRESH_JWT_SECRET`.",
    ..OPTIONAL
};

pub(in crate::config) const KEY_ENCRYPTION_KEY: Setting = Setting {
    name: "KEY_ENCRYPTION_KEY",
    form: Form::Text("64 random hexadecimal digits, or two of these, comma-separated"),
    is_secret: true,
    summary: "Keeps the signing keys in the database, encrypted with this key; without it they are in `CERTS_DIR`.",
    notes: "\
All companions and commands need the same one. `edgeward keys import DIR` takes the keys of a folder over. To replace the key,
put the new one first and restart all companions, run `edgeward keys reseal`, and remove the former one
([keys](../guide/keys.md)).",
    ..OPTIONAL
};
