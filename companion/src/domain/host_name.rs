//! What a host may be called (RFC 1123 §2.1). Whether there is such a host is not asked here.

use edgeward_wire::origin::{MAX_HOST_BYTES, MAX_LABEL_BYTES};

/// Whether a text is a host's name: labels of letters, digits and inner hyphens, in ASCII.
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
