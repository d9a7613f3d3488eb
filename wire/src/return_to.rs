//! The way back from the login page: the filter puts the target of a redirected request into the page's query, and
//! the companion's page leads there after the login.

/// Name of the query parameter.
pub const PARAMETER: &str = "return_to";

/// Maximum length of the decoded value, in bytes. Chosen: in its escaped form, three times as long, it stays well
/// below the limit of 60 KiB that Envoy has for request headers. Longer targets are left out.
pub const MAX_BYTES: usize = 2048;

/// Returns `true` if a decoded value is a page of the same origin, as every browser reads it: a path and what may
/// follow, of at most [`MAX_BYTES`]. Browsers take `//evil`, `/\evil` and `/<tab>/evil` for another host
/// (CVE-2025-27143).
#[must_use]
pub fn is_own_page(target: &str) -> bool {
    target.len() <= MAX_BYTES
        && target.starts_with('/')
        && !target.starts_with("//")
        && !target.chars().any(|char| char.is_control() || char == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_same_origin_are_returned_to() {
        let longest = format!("/{}", "a".repeat(MAX_BYTES - 1));
        for own in ["/", "/orders?page=2&sort=a#top", "/a//b", "/@evil.example", &longest] {
            assert!(is_own_page(own), "{own}");
        }
        let too_long = format!("{longest}a");
        for foreign in [
            "",
            "orders",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            " /orders",
            "/\t/evil.example",
            "/\n/evil.example",
            "/a\\b",
            "/\u{85}",
            &too_long,
        ] {
            assert!(!is_own_page(foreign), "{foreign:?}");
        }
    }
}
