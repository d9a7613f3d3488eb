//! Settings of the pages.

use super::OPTIONAL;
use crate::config::setting::DefaultValue::Value;
use crate::config::setting::{Example, Form, Group, Setting};

pub(super) const PAGES: Group = Group {
    title: "Pages",
    about: "\
Pages for people: sign in, register, account, administration.
[Pages](../guide/pages.md) shows them.",
    settings: &[
        PAGES_PATH,
        PAGES_OFF,
        PAGES_LANGUAGE,
        SITE_NAME,
        SITE_COLOR,
        SITE_LOGO,
        SITE_LINKS,
        SECURITY_CONTACT,
    ],
};

pub(in crate::config) const PAGES_PATH: Setting = Setting {
    name: "PAGES_PATH",
    form: Form::Text("a path such as /auth, of letters, digits and -._~"),
    default: Value("/auth"),
    summary: "Path of the pages, which the gateway forwards to the companion. `/login` redirects there.",
    ..OPTIONAL
};

pub(in crate::config) const PAGES_OFF: Setting = Setting {
    name: "PAGES_OFF",
    form: Form::Text("names of pages, comma-separated: sign-in, register, account, admin"),
    default: Value(""),
    summary: "Pages that are not served.",
    notes: "The API stays as it is. Without `sign-in`, `/login` is not found either.",
    example: Example::Comment("admin"),
    ..OPTIONAL
};

pub(in crate::config) const PAGES_LANGUAGE: Setting = Setting {
    name: "PAGES_LANGUAGE",
    form: Form::OneOf(&["auto", "en", "de"]),
    default: Value("auto"),
    summary: "Language of the pages; `auto` is the visitor's, and English if it is another.",
    ..OPTIONAL
};

pub(in crate::config) const SITE_NAME: Setting = Setting {
    name: "SITE_NAME",
    form: Form::Name { max_bytes: 60 },
    default: Value("Edgeward"),
    summary: "Name of the site, which every page shows.",
    ..OPTIONAL
};

pub(in crate::config) const SITE_COLOR: Setting = Setting {
    name: "SITE_COLOR",
    form: Form::Text(
        "a colour of six hexadecimal digits such as #1f5fbf, dark enough for white text: a contrast of 4.5 to 1 (WCAG 2.2, 1.4.3)",
    ),
    default: Value("#1f5fbf"),
    summary: "Colour of buttons and links.",
    notes: "In the dark theme the pages lighten it.",
    example: Example::Comment("#7a1fbf"),
    ..OPTIONAL
};

pub(in crate::config) const SITE_LOGO: Setting = Setting {
    name: "SITE_LOGO",
    form: Form::Text("the path of an SVG or PNG file of at most 32 KiB"),
    summary: "Logo, which the pages show beside the name.",
    notes: "It is read at the start, and shown 28 pixels high.",
    example: Example::Comment("/etc/edgeward/logo.svg"),
    ..OPTIONAL
};

pub(in crate::config) const SITE_LINKS: Setting = Setting {
    name: "SITE_LINKS",
    form: Form::Text("at most 8 links such as Imprint=https://example.com/imprint, comma-separated"),
    default: Value(""),
    summary: "Links at the end of every page, such as imprint and help.",
    notes: "An address begins with `https://`, `http://`, `mailto:` or `/`, and has no comma. One of this site needs a public rule of the filter.",
    example: Example::Comment("Imprint=/imprint,Help=mailto:help@example.com"),
    ..OPTIONAL
};

pub(in crate::config) const SECURITY_CONTACT: Setting = Setting {
    name: "SECURITY_CONTACT",
    form: Form::Text("an address such as mailto:security@example.com or https://example.com/security"),
    summary: "Contact in `/.well-known/security.txt` (RFC 9116), which is not found without it.",
    example: Example::Comment("mailto:security@example.com"),
    ..OPTIONAL
};
