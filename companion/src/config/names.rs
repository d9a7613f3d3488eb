//! The settings' names: the known ones, and those that a misspelled name may be meant to be.

use strsim::osa_distance;

use super::settings;

/// The prefix that people expect of a setting, and which none has.
pub(super) const PREFIX: &str = "EDGEWARD_";

/// Maximum number of letters that are missing, wrong, too many or swapped in a misspelled name: none in one of three
/// letters, one in a short one, two in a long one. Chosen: `HOST`, `REPORT` and `UI_PORT` are others' names, and not
/// taken for `PORT` or `DB_PORT`.
const fn max_distance(name: &str) -> usize {
    match name.len() {
        ..4 => 0,
        4..8 => 1,
        _ => 2,
    }
}

/// Minimum length of the beginning of a name that is taken for the whole, in bytes: `DB_USER`, but not `DB_`.
const MIN_START_BYTES: usize = 7;

/// `true` if a setting has this name.
pub(super) fn is_known(name: &str) -> bool {
    let secret = name.strip_suffix("_FILE");
    settings::all().any(|setting| setting.name == name || setting.is_secret && Some(setting.name) == secret)
}

/// Returns the setting that an unknown name may be meant to be.
pub(super) fn suggest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    let name = name.strip_prefix(PREFIX).unwrap_or(&name);
    let name = name.strip_suffix("_FILE").unwrap_or(name);
    let is_start =
        |setting: &&str| name.len() >= MIN_START_BYTES && name.contains('_') && setting.starts_with(name);
    let distance = |setting: &str| osa_distance(name, setting);
    let names = || settings::all().map(|setting| setting.name);
    let near = names().min_by_key(|setting| distance(setting));
    near.filter(|setting| distance(setting) <= max_distance(name)).or_else(|| names().find(is_start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelled_name_is_told_from_a_foreign_one() {
        let check = |name, expected| assert_eq!(suggest(name), expected, "{name}");
        check("EDGEWARD_DATABASE_URL", Some("DATABASE_URL"));
        check("EDGEWARD_PROT", Some("PORT"));
        check("DATABASE_URI", Some("DATABASE_URL"));
        check("database_url", Some("DATABASE_URL"));
        check("REFRESH_JWT_SECRETS", Some("REFRESH_JWT_SECRET"));
        check("DB_USER", Some("DB_USERNAME"));
        check("DB_PASS", Some("DB_PASSWORD"));
        check("DB_USERNAME_FILE", Some("DB_USERNAME"));
        check("DB_POOL", Some("DB_POOL_SIZE"));
        for foreign in [
            "",
            "DB",
            "DB_",
            "HOST",
            "POSTGRES_PASSWORD",
            "REDIS_URL",
            "LOG_LEVEL",
            "EDGEWARD_",
            "DATABASE",
            "UI_PORT",
            "DB_TEST",
            "DB_ROOT",
            "SESSION",
            "COOKIE",
            "CLIENT",
            "CERTS",
            "FEED",
            "REPORT",
            "EXPORT",
            "EDGEWARD_VERSION",
            "EDGEWARD_GATEWAY_PORT",
            "EDGEWARD_UPSTREAM_PORT",
        ] {
            check(foreign, None);
        }
    }
}
