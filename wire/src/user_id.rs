//! User IDs as the `sub` claim of an access token has them.

/// Maximum length of a user ID, in decimal digits: that of the greatest `bigint`, 2^63 - 1.
pub const MAX_DIGITS: usize = 19;

/// Reads a user ID: a decimal number of 1 to [`MAX_DIGITS`] digits, without a sign and leading zeros, as Postgres
/// writes a positive `bigint`. Returns `None` for any other text, so that every ID has one spelling.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let is_decimal = (1..=MAX_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_decimal && !text.starts_with('0')).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_is_a_positive_decimal_number_in_its_one_spelling() {
        for (text, expected) in [
            ("1", Some(1)),
            ("42", Some(42)),
            ("9223372036854775807", Some(i64::MAX.unsigned_abs())),
            ("", None),
            ("0", None),
            ("042", None),
            ("-42", None),
            ("+42", None),
            (" 42", None),
            ("4.2", None),
            ("0x2a", None),
            ("٤٢", None),
            ("12345678901234567890", None),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn greatest_bigint_has_the_maximum_number_of_digits() {
        assert_eq!(i64::MAX.to_string().len(), MAX_DIGITS);
    }
}
