//! Versions of the filter and of the companion, which tell each other theirs in the edge feed.

/// Version of this build, with its commit as build metadata (`SemVer` 2.0.0 §10): `0.1.0+4d7c202`, `0.1.0+4d7c202-dirty`, or
/// `0.1.0+unknown` in a build that nobody named the commit of. Visible ASCII, for header fields and labels.
pub const VERSION: &str = env!("EDGEWARD_VERSION");

/// Product of the filter's `User-Agent` (RFC 9110 §10.1.5), before a slash and its version.
pub const FILTER_PRODUCT: &str = "edgeward-filter";

/// Returns `true` if a filter and a companion of these versions work together: the same or neighbouring minor versions of
/// one major version. Tests run the pairs of a release and the one before.
#[must_use]
pub fn are_compatible(one: &str, other: &str) -> bool {
    let parse = |version: &str| {
        let mut numbers = version.split(['.', '-', '+']);
        let mut number = || numbers.next()?.parse::<u32>().ok();
        Some((number()?, number()?))
    };
    match (parse(one), parse(other)) {
        (Some((major, minor)), Some((other_major, other_minor))) => {
            major == other_major && minor.abs_diff(other_minor) <= 1
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_minor_versions_work_together() {
        for (other, expected) in [
            ("0.2.0", true),
            ("0.2.7-rc.1+abc", true),
            ("0.1.9", true),
            ("0.3.0", true),
            ("0.4.0", false),
            ("0.0.1", false),
            ("1.2.0", false),
            ("", false),
            ("0", false),
            ("x.y", false),
        ] {
            assert_eq!(are_compatible("0.2.3", other), expected, "{other}");
            assert_eq!(are_compatible(other, "0.2.3"), expected, "{other}");
        }
        assert!(are_compatible(VERSION, VERSION));
    }
}
