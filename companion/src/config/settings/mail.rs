//! Settings of mail.

use super::{LIMIT_ACCOUNT, OPTIONAL};
use crate::config::setting::DefaultValue::Value;
use crate::config::setting::{Example, Form, Group, Setting};

pub(super) const MAIL: Group = Group {
    title: "Mail",
    about: "\
Without `SMTP_URL` no mail is sent, and what needs one is not offered.
[Mail](../guide/mail.md) says what each mail is for.",
    settings: &[
        SMTP_URL,
        SMTP_USERNAME,
        SMTP_PASSWORD,
        SMTP_TLS,
        SMTP_CA_PATH,
        MAIL_FROM,
        MAIL_OFF,
        PUBLIC_URL,
        LIMIT_MAIL,
    ],
};

pub(in crate::config) const SMTP_URL: Setting = Setting {
    name: "SMTP_URL",
    form: Form::Text(
        "a mail server such as smtps://mail.example.com, without a user; smtp:// on loopback alone, with SMTP_TLS=off",
    ),
    summary: "Mail server, with TLS from the first byte; without it no mail is sent.",
    notes: "The port is 465 unless the URL has another. The certificate must be one of a public authority, or of `SMTP_CA_PATH`, \
            for this name. For a server that has STARTTLS alone, put a relay on the same machine.",
    example: Example::Comment("smtps://mail.example.com"),
    ..OPTIONAL
};

pub(in crate::config) const SMTP_USERNAME: Setting = Setting {
    name: "SMTP_USERNAME",
    form: Form::Name { max_bytes: 256 },
    summary: "User at the mail server, with `SMTP_PASSWORD`.",
    example: Example::Comment("edgeward"),
    ..OPTIONAL
};

pub(in crate::config) const SMTP_PASSWORD: Setting = Setting {
    name: "SMTP_PASSWORD",
    form: Form::Text("a password"),
    is_secret: true,
    summary: "Password of `SMTP_USERNAME`.",
    ..OPTIONAL
};

pub(in crate::config) const SMTP_TLS: Setting = Setting {
    name: "SMTP_TLS",
    form: Form::OneOf(&["required", "off"]),
    default: Value("required"),
    summary: "`off` for a mail server on loopback without TLS.",
    notes: "Then `SMTP_URL` is `smtp://127.0.0.1:25` or the like. For every other server TLS is required.",
    ..OPTIONAL
};

pub(in crate::config) const SMTP_CA_PATH: Setting = Setting {
    name: "SMTP_CA_PATH",
    form: Form::Text("a path"),
    summary: "File with the certificates (PEM) of the authorities that the mail server is trusted by, instead of the public ones.",
    example: Example::Comment("/etc/edgeward/mail-authority.pem"),
    ..OPTIONAL
};

pub(in crate::config) const MAIL_FROM: Setting = Setting {
    name: "MAIL_FROM",
    form: Form::Text("a sender such as no-reply@example.com or Example <no-reply@example.com>"),
    summary: "Sender of every mail; required with `SMTP_URL`.",
    example: Example::Comment("Example <no-reply@example.com>"),
    ..OPTIONAL
};

pub(in crate::config) const MAIL_OFF: Setting = Setting {
    name: "MAIL_OFF",
    form: Form::Text("names of mails, comma-separated, as in docs/guide/mail.md"),
    default: Value(""),
    summary: "Mails that are not sent, by their names.",
    example: Example::Comment("new-sign-in"),
    ..OPTIONAL
};

pub(in crate::config) const PUBLIC_URL: Setting = Setting {
    name: "PUBLIC_URL",
    form: Form::Text("an origin such as https://app.example.com; http:// on loopback alone"),
    summary: "Origin at which people reach the gateway, for the links in mails; required with `SMTP_URL`.",
    notes: "A link is never made from the `Host` of a request, which its sender chooses.",
    example: Example::Comment("https://app.example.com"),
    ..OPTIONAL
};

// Somebody who does not find the mail asks again, twice or three times.
pub(in crate::config) const LIMIT_MAIL: Setting = Setting {
    name: "LIMIT_MAIL",
    form: LIMIT_ACCOUNT.form,
    default: Value("5/1h"),
    summary: "Mails of one kind to one recipient.",
    notes: "One address (a /64 of IPv6) may ask for ten times as many, and its network for a hundred times. Loopback has no \
            limit of its own. A notice of a new password or of other factors is always sent.",
    ..OPTIONAL
};
