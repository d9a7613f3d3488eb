//! The table of all settings. Their readers take names, limits and defaults from here, and so do `.env.example` and
//! `docs/reference/settings.md`: `cargo xtask settings` writes these anew.

mod audit;
mod cookies;
mod database;
mod environment;
mod front_ends;
mod guessing;
mod listeners;
mod logs;
mod mail;
mod pages;
mod passkeys;
mod passwords;
mod secrets;
mod tokens;
mod traces;

pub(super) use audit::*;
pub(super) use cookies::*;
pub(super) use database::*;
pub(super) use environment::*;
pub(super) use front_ends::*;
pub(super) use guessing::*;
pub(super) use listeners::*;
pub(super) use logs::*;
pub(super) use mail::*;
pub(super) use pages::*;
pub(super) use passkeys::*;
pub(super) use passwords::*;
pub(super) use secrets::*;
pub(super) use tokens::*;
pub(super) use traces::*;

use super::setting::DefaultValue::Unset;
use super::setting::{Example, Form, Group, Setting};

/// Every setting, by subject.
pub const GROUPS: &[Group] = &[
    ENVIRONMENT,
    DATABASE,
    SECRETS,
    FRONT_ENDS,
    LISTENERS,
    PAGES,
    MAIL,
    PASSKEYS,
    TOKENS,
    COOKIES,
    PASSWORDS,
    GUESSING,
    AUDIT,
    LOGS,
    TRACES,
];

/// Every setting.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    GROUPS.iter().flat_map(|group| group.settings)
}

/// Base of every setting: optional, and no secret.
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
