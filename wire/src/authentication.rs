//! Authentication of a user: the methods in the claim `amr`, the rules' `require` and the column
//! `refresh_tokens.authentication_methods`, and the page that asks for a fresh proof.

/// Password (RFC 8176 §2).
pub const PASSWORD: &str = "pwd";

/// One-time password, of an app or of a list (RFC 8176 §2).
pub const ONE_TIME_PASSWORD: &str = "otp";

/// Possession of a key (of IANA's registry): a passkey. `hwk` and `swk` say more: where the key is kept, which nobody knows of
/// a passkey without attestation.
pub const KEY: &str = "pop";

/// More than one factor (RFC 8176 §2).
pub const MULTI_FACTOR: &str = "mfa";

/// Every method that the companion issues.
pub const METHODS: [&str; 4] = [PASSWORD, ONE_TIME_PASSWORD, KEY, MULTI_FACTOR];

/// Maximum number of methods of one authentication. Chosen: more than there are.
pub const MAX_METHODS: usize = 8;

/// Maximum length of a method, in bytes. Chosen: the longest registered one has six.
pub const MAX_METHOD_BYTES: usize = 16;

/// Parameter of the page that asks for a fresh proof, and of a challenge (RFC 9470 §3): maximum age of the authentication,
/// in seconds.
pub const MAX_AGE: &str = "max_age";

/// Parameter of the page that asks for a fresh proof, and of a challenge (RFC 9470 §3): methods that are required,
/// separated by spaces.
pub const ACR_VALUES: &str = "acr_values";

/// Returns `true` if `text` has the form of a method: 1 to [`MAX_METHOD_BYTES`] of `[a-z0-9_]`, which may stand in a header
/// field as they are. Newer versions may have others than [`METHODS`].
#[must_use]
pub fn is_method(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=MAX_METHOD_BYTES).contains(&text.len()) && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_short_words_in_lower_case() {
        let longest = "a".repeat(MAX_METHOD_BYTES);
        for method in METHODS.into_iter().chain(["hwk", "x_1", &longest]) {
            assert!(is_method(method), "{method}");
        }
        let too_long = "a".repeat(MAX_METHOD_BYTES + 1);
        for text in ["", "PWD", "p w", "pwd,otp", "pwd\n", "é", &too_long] {
            assert!(!is_method(text), "{text:?}");
        }
    }
}
