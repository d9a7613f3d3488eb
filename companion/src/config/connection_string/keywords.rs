//! The keywords of libpq's connection strings, by what becomes of them here.

/// Keywords with a counterpart in sqlx, as sqlx names them.
pub(super) const SUPPORTED: [&str; 14] = [
    "dbname",
    "user",
    "password",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "application_name",
    "options",
    "ssl-root-cert",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "statement-cache-capacity",
    "sslmode",
];

/// Keywords without an effect here: connections time out after 5 s, are kept alive, and use UTF-8 in any case.
pub(super) const IGNORED: [&str; 9] = [
    "connect_timeout",
    "client_encoding",
    "fallback_application_name",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "sslcompression",
];

/// Keywords that are accepted with these values alone, which change nothing here.
pub(super) const FIXED: [(&str, &[&str]); 5] = [
    ("channel_binding", &["disable", "prefer"]),
    ("gssencmode", &["disable", "prefer"]),
    ("load_balance_hosts", &["disable"]),
    ("sslnegotiation", &["postgres"]),
    ("sslsni", &["1"]),
];

/// Keywords of libpq that are not supported here.
pub(super) const UNSUPPORTED: [&str; 14] = [
    "passfile",
    "service",
    "servicefile",
    "sslpassword",
    "sslcrl",
    "sslcrldir",
    "sslcertmode",
    "require_auth",
    "krbsrvname",
    "gsslib",
    "gssdelegation",
    "replication",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
];

/// Values of `sslmode`.
pub(super) const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
