//! Settings of passkeys.

use super::OPTIONAL;
use crate::config::setting::{Example, Form, Group, Setting};

pub(super) const PASSKEYS: Group = Group {
    title: "Passkeys",
    about: "\
Without `PASSKEY_RP_ID` there are no passkeys.
[Second factors](../guide/factors.md#passkeys) says what to choose.",
    settings: &[PASSKEY_RP_ID, PASSKEY_ORIGINS],
};

pub(in crate::config) const PASSKEY_RP_ID: Setting = Setting {
    name: "PASSKEY_RP_ID",
    form: Form::Text("a domain such as example.com"),
    summary: "Domain that passkeys are bound to (WebAuthn's Relying Party ID): that of the gateway, or one above it.",
    notes: "Do not change it: the passkeys of another domain are useless. Browsers take no address for it.",
    example: Example::Comment("example.com"),
    ..OPTIONAL
};

pub(in crate::config) const PASSKEY_ORIGINS: Setting = Setting {
    name: "PASSKEY_ORIGINS",
    form: Form::Text(
        "origins such as https://app.example.com, comma-separated, one of them at PASSKEY_RP_ID or below it; http:// on \
         localhost alone",
    ),
    summary: "Origins whose pages use the passkeys; without it, `https://` and `PASSKEY_RP_ID`.",
    notes: "Those of other domains are related origins: browsers ask `/.well-known/webauthn` of `PASSKEY_RP_ID` for them.",
    example: Example::Comment("https://app.example.com"),
    ..OPTIONAL
};
