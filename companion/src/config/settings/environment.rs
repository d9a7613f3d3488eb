//! Settings of the environment.

use super::OPTIONAL;
use crate::config::setting::DefaultValue::Value;
use crate::config::setting::{Example, Form, Group, Setting};

pub(super) const ENVIRONMENT: Group = Group { title: "Environment", about: "", settings: &[APP_ENV] };

pub(in crate::config) const APP_ENV: Setting = Setting {
    name: "APP_ENV",
    form: Form::OneOf(&["dev", "test", "prod"]),
    default: Value("prod"),
    summary: "Selects `.env.<APP_ENV>`, so set it outside that file; only `dev` leaves `Secure` off the cookies.",
    notes: "`test` is like `prod`, but allows cheaper password hashes.",
    example: Example::Comment("dev"),
    ..OPTIONAL
};
