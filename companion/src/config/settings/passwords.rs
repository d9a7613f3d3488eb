//! Settings of passwords.

use super::OPTIONAL;
use crate::config::setting::DefaultValue::Value;
use crate::config::setting::{Form, Group, Setting};

pub(super) const PASSWORDS: Group = Group {
    title: "Passwords",
    about: "",
    settings: &[BCRYPT_COST, PASSWORD_MIN_LENGTH, PASSWORD_MIN_SCORE],
};

pub(in crate::config) const BCRYPT_COST: Setting = Setting {
    name: "BCRYPT_COST",
    // Below 10 a stolen table is guessed quickly; at 16 one login takes some four seconds.
    form: Form::Number { min: 4, max: 16 },
    min_in_prod: Some(10),
    default: Value("12"),
    summary: "Cost of a password hash; each step doubles the work.",
    ..OPTIONAL
};

// The least is that of NIST SP 800-63B-4 §3.1.1.2 for a password beside another factor; the greatest leaves room for a few
// characters of two bytes within bcrypt's 72.
pub(in crate::config) const PASSWORD_MIN_LENGTH: Setting = Setting {
    name: "PASSWORD_MIN_LENGTH",
    form: Form::Number { min: 8, max: 64 },
    default: Value("8"),
    summary: "Minimum length of a new password, in characters.",
    notes: "NIST SP 800-63B-4 §3.1.1.2 asks for 15 where a password is the only factor.",
    ..OPTIONAL
};

pub(in crate::config) const PASSWORD_MIN_SCORE: Setting = Setting {
    name: "PASSWORD_MIN_SCORE",
    form: Form::Number { min: 1, max: 4 },
    default: Value("1"),
    summary: "Minimum strength of a new password: the score of zxcvbn.",
    notes: "2 is a million guesses, 3 a hundred millions, 4 ten thousand millions. With any, a password is rejected that \
            30,000 guesses find: one of the most used, or the user's name or e-mail address with little else.",
    ..OPTIONAL
};
