//! Grammar of the trace context (W3C Trace Context, level 1), for the header fields that go along on calls.

/// Field of the trace and of the parent span.
pub const TRACE_PARENT: &str = "traceparent";

/// Maximum length of `tracestate`, in bytes: vendors must propagate at least as many (§3.3.1.5).
const MAX_STATE_BYTES: usize = 512;

/// `true` if a value is a `traceparent` of version 00 (§3.2.2): neither ID is zero.
#[must_use]
pub fn is_parent(value: &[u8]) -> bool {
    let parts: Vec<&[u8]> = value.split(|&byte| byte == b'-').collect();
    let is_hex = |part: &[u8], len| {
        part.len() == len && part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |part: &[u8], len| is_hex(part, len) && part.iter().any(|&byte| byte != b'0');
    matches!(parts[..], [b"00", trace, parent, flags] if is_id(trace, 32) && is_id(parent, 16) && is_hex(flags, 2))
}

/// `true` if a value has the length and the characters of a `tracestate` (§3.3.1). Its members are for others to read.
#[must_use]
pub fn is_state(value: &[u8]) -> bool {
    (1..=MAX_STATE_BYTES).contains(&value.len())
        && value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parent_has_four_parts_of_hexadecimal_digits() {
        const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(is_parent(VALID.as_bytes()));
        for (from, to) in [
            ("00-4", "01-4"),
            ("00-4", "ff-4"),
            ("4bf9", "4BF9"),
            ("4bf92f3577b34da6a3ce929d0e0e4736", "00000000000000000000000000000000"),
            ("00f067aa0ba902b7", "0000000000000000"),
            ("-01", "-1"),
            ("-01", "-01-"),
            ("-01", ""),
            ("4bf9", "4bf"),
            ("4bf9", "4bg9"),
            (VALID, ""),
        ] {
            assert!(!is_parent(VALID.replacen(from, to, 1).as_bytes()), "{from} -> {to}");
        }
    }

    #[test]
    fn state_is_short_visible_text() {
        for value in ["congo=t61rcWkgMzE", "a=1,b=2", &"x".repeat(MAX_STATE_BYTES)] {
            assert!(is_state(value.as_bytes()), "{value}");
        }
        for value in ["", "a=\u{e9}", "a=\n", &"x".repeat(MAX_STATE_BYTES + 1)] {
            assert!(!is_state(value.as_bytes()), "{value}");
        }
    }
}
