//! Settings of cookies.

use super::OPTIONAL;
use crate::config::setting::DefaultValue::Value;
use crate::config::setting::{Example, Form, Group, Setting};

pub(super) const COOKIES: Group =
    Group { title: "Cookies", about: "", settings: &[COOKIE_PREFIX, COOKIE_DOMAIN, COOKIE_SAME_SITE] };

pub(in crate::config) const COOKIE_PREFIX: Setting = Setting {
    name: "COOKIE_PREFIX",
    form: Form::OneOf(&["__Host-", "__Secure-", ""]),
    summary: "Prefix of the cookies' names, also in the filter's `cookies`; `__Host-` ties them to one host over HTTPS.",
    notes: "Use `__Host-`, so that no sibling subdomain can plant a cookie of our name. A prefix is rejected with \
            `APP_ENV=dev`, and `__Host-` beside `COOKIE_DOMAIN`.",
    example: Example::Comment("__Host-"),
    ..OPTIONAL
};

pub(in crate::config) const COOKIE_DOMAIN: Setting = Setting {
    name: "COOKIE_DOMAIN",
    form: Form::Text("a domain such as example.com"),
    summary: "Domain whose hosts all get the cookies; without it, the gateway's host alone.",
    notes: "If you change it for a site that is in use, change the prefix too. Browsers keep their old cookies beside the \
            new ones, and their requests are rejected (`cookie_repeated`) until these expire.",
    example: Example::Comment("example.com"),
    ..OPTIONAL
};

pub(in crate::config) const COOKIE_SAME_SITE: Setting = Setting {
    name: "COOKIE_SAME_SITE",
    form: Form::OneOf(&["lax", "strict", "none"]),
    default: Value("lax"),
    summary: "Sites from whose pages browsers send the cookies; `none` is for a front end on another site over HTTPS.",
    notes: "`none` is rejected with `APP_ENV=dev`: browsers keep such a cookie only if it is `Secure`. \
            [A front end of your own](../guide/front-end.md) says what each value asks of a front end.",
    ..OPTIONAL
};
