//! Settings of tokens and sessions.

use edgeward_wire::access_token;

use super::OPTIONAL;
use crate::config::setting::DefaultValue::Value;
use crate::config::setting::{Form, Group, Setting};

pub(super) const TOKENS: Group = Group {
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
        AUTHENTICATION_MAX_AGE_SECONDS,
    ],
};

pub(in crate::config) const ISSUER: Setting = Setting {
    name: "ISSUER",
    // With the longest issuer and audience and the largest of everything else, a token stays below 1 KiB.
    form: Form::Name { max_bytes: 56 },
    default: Value("edgeward"),
    summary: "Issuer (`iss`) of access tokens, as in the filter's `issuer`.",
    notes: "The limit keeps a token below 1 KiB. With a key of 3,072 bits, and more than 68 bytes of issuer and audience \
            together, tokens may lack optional claims, without which rules that demand a recent authentication reject them.",
    ..OPTIONAL
};

pub(in crate::config) const AUDIENCE: Setting = Setting {
    name: "AUDIENCE",
    default: Value(access_token::DEFAULT_AUDIENCE),
    summary: "Audience (`aud`) of access tokens, as in the filter's `audience`.",
    ..ISSUER
};

pub(in crate::config) const CERTS_DIR: Setting = Setting {
    name: "CERTS_DIR",
    form: Form::Text("a path"),
    default: Value("certs"),
    summary: "Folder of the signing keys, which `edgeward keys generate` makes, without `KEY_ENCRYPTION_KEY`.",
    notes: "They are RSA keys of 2,048 or 3,072 bits. A running service follows changes in the folder.",
    ..OPTIONAL
};

pub(in crate::config) const ACCESS_TTL_SECONDS: Setting = Setting {
    name: "ACCESS_TTL_SECONDS",
    form: Form::Number { min: 60, max: access_token::MAX_LIFETIME_S as u64 },
    default: Value("3600"),
    summary: "Lifetime of an access token.",
    notes: "The gateway rejects the tokens of a session that was logged out for this long and ten minutes more. After \
            the setting was lowered, tokens from before may outlive a logout. The tokens of users who logged out \
            everywhere, or were changed by a command, are rejected for a day.",
    ..OPTIONAL
};

pub(in crate::config) const REFRESH_TTL_SECONDS: Setting = Setting {
    name: "REFRESH_TTL_SECONDS",
    form: Form::Number { min: 60, max: 31_536_000 },
    default: Value("2592000"),
    summary: "Lifetime of a session without a refresh.",
    ..OPTIONAL
};

// Without a maximum, a thief who refreshes in step with the owner keeps the session for ever.
pub(in crate::config) const SESSION_MAX_SECONDS: Setting = Setting {
    name: "SESSION_MAX_SECONDS",
    form: Form::Number { min: 60, max: 315_360_000 },
    default: Value("15552000"),
    summary: "Maximum lifetime of a session, however it is used.",
    ..OPTIONAL
};

pub(in crate::config) const REFRESH_GRACE_SECONDS: Setting = Setting {
    name: "REFRESH_GRACE_SECONDS",
    // Half of the shortest access token: a repeated one is as old as this at most, and still good for a while.
    form: Form::Number { min: 0, max: 30 },
    default: Value("10"),
    summary: "Time in which a replaced refresh token counts as a late request and not as a stolen one.",
    ..OPTIONAL
};

// NIST SP 800-63B-4 §2.2.3: at AAL2, users authenticate anew after 24 hours.
pub(in crate::config) const AUTHENTICATION_MAX_AGE_SECONDS: Setting = Setting {
    name: "AUTHENTICATION_MAX_AGE_SECONDS",
    form: Form::Number { min: 60, max: 31_536_000 },
    default: Value("86400"),
    summary: "Maximum age of the last authentication for administration and for changes of password, address, factors or sessions.",
    notes: "After it, the user confirms who they are: [step-up](../guide/step-up.md). To add a second factor or a passkey, it is \
            10 minutes at most.",
    ..OPTIONAL
};
