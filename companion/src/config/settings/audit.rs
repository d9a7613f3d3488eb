//! Settings of the audit log.

use super::OPTIONAL;
use crate::config::setting::{Example, Form, Group, Setting};

pub(super) const AUDIT: Group = Group { title: "Audit log", about: "", settings: &[AUDIT_RETENTION_DAYS] };

pub(in crate::config) const AUDIT_RETENTION_DAYS: Setting = Setting {
    name: "AUDIT_RETENTION_DAYS",
    // Ten years: longer than most laws ask for.
    form: Form::Number { min: 1, max: 3650 },
    summary: "Age at which entries of the audit log are deleted; without it, they are kept for ever.",
    notes: "Each companion deletes up to 100,000 a minute, the oldest first, in statements of 1,000. An entry of a command \
            that no companion has logged yet is kept.",
    example: Example::Comment("365"),
    ..OPTIONAL
};
