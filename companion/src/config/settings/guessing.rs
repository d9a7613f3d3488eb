//! Settings of limits on guessing.

use super::OPTIONAL;
use crate::config::setting::DefaultValue::Value;
use crate::config::setting::{Form, Group, Setting};

pub(super) const GUESSING: Group = Group {
    title: "Limits on guessing",
    about: "\
Attempts at once, and the time in which they come back: `20/20m` is 20, and then one a minute. All companions count together.
[Guessing](../guide/guessing.md) says what each limit is for.",
    settings: &[LIMIT_ACCOUNT, LIMIT_ADDRESS, LIMIT_REGISTRATION, REGISTRATION_HIDES_EMAILS],
};

// NIST SP 800-63B-4 §3.2.2 allows 100 failures in a row. People give up or remember within 20, and one a minute is an hour
// and twenty minutes until the hundredth.
pub(in crate::config) const LIMIT_ACCOUNT: Setting = Setting {
    name: "LIMIT_ACCOUNT",
    form: Form::Text("attempts and a time such as 20/20m: 1 to 10000, in 1s to 24h"),
    default: Value("20/20m"),
    summary: "Failed logins of an account: of all unknown devices together, and of each that signed in to it before.",
    notes: "A login fills the bucket again. A known device has ten times as many logins, failed or not. After 100 failures \
            in a row the password is no longer compared for unknown devices, or for that device, whatever this limit is.",
    ..OPTIONAL
};

// A class of thirty signs in at the same time, some of them twice.
pub(in crate::config) const LIMIT_ADDRESS: Setting = Setting {
    name: "LIMIT_ADDRESS",
    form: LIMIT_ACCOUNT.form,
    default: Value("60/10m"),
    summary: "Logins from one address (a /64 of IPv6) by devices that are not known to the account.",
    notes: "Ten times as many are allowed from its network (/24 of IPv4, /48 of IPv6). A login that succeeds counts too. \
            Loopback has no limit. If all requests seem to have one address, set the gateway's \
            `xff_num_trusted_hops`; without our gateway, `TRUSTED_HOPS`.",
    ..OPTIONAL
};

pub(in crate::config) const LIMIT_REGISTRATION: Setting = Setting {
    name: "LIMIT_REGISTRATION",
    form: LIMIT_ACCOUNT.form,
    default: Value("30/1h"),
    summary: "Registrations from one address (a /64 of IPv6), and ten times as many from its network.",
    notes: "Loopback has no limit.",
    ..OPTIONAL
};

pub(in crate::config) const REGISTRATION_HIDES_EMAILS: Setting = Setting {
    name: "REGISTRATION_HIDES_EMAILS",
    form: Form::OneOf(&["on", "off"]),
    default: Value("off"),
    summary: "Whether a registration has the same response for a known e-mail address: 202, without a session.",
    notes: "The user then signs in. [Guessing](../guide/guessing.md#known-addresses) says what still tells.",
    ..OPTIONAL
};
