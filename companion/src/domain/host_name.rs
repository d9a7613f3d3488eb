//! Host names (RFC 1123 §2.1). Nothing checks that such a host exists.

use edgeward_wire::origin::{MAX_HOST_BYTES, MAX_LABEL_BYTES};

/// Returns `true` if a text is a host name: labels of ASCII letters, digits and inner hyphens, separated by dots.
#[must_use]
pub fn is_host_name(text: &str) -> bool {
    text.len() <= MAX_HOST_BYTES && text.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL_BYTES).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_name_has_labels_of_letters_digits_and_inner_hyphens() {
        let longest = format!("{}.{}", "a".repeat(MAX_LABEL_BYTES), "b".repeat(MAX_LABEL_BYTES));
        for name in ["localhost", "db-1.example.com", "127.0.0.1", "xn--exmple-cua.com", &longest] {
            assert!(is_host_name(name), "{name}");
        }
        let (long_label, long_name) =
            ("a".repeat(MAX_LABEL_BYTES + 1), "a.".repeat(MAX_HOST_BYTES / 2) + "aa");
        for text in ["", ".", "a..b", "a.", "-a.com", "a-.com", "a_b.com", "é.com", &long_label, &long_name]
        {
            assert!(!is_host_name(text), "{text}");
        }
    }
}
