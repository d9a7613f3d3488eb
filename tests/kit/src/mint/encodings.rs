//! Compact serialisations that must be rejected (RFC 7515 §3.1, §2): segments, alphabets, padding, white space. Wherever
//! possible, the signature is valid for the text as it stands.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::{Bad, Key, payload_with};

pub(super) fn bad(key: &Key, now: u64) -> Vec<Bad> {
    // An ignored claim makes the base64 differ between the alphabets, and end in padding.
    let claims = (0..3)
        .map(|more| payload_with(now, "note", &format!("\"{}\u{fbff}\u{fbff}\"", "x".repeat(more))))
        .find(|claims| STANDARD.encode(claims).ends_with('=') && STANDARD.encode(claims).contains('/'))
        .unwrap();
    let header = URL_SAFE_NO_PAD.encode(key.header());
    let payload = URL_SAFE_NO_PAD.encode(&claims);
    let good = key.seal(&format!("{header}.{payload}"));
    let (input, signature) = good.rsplit_once('.').unwrap();
    let sealed = |header: &str, payload: &str| key.seal(&format!("{header}.{payload}"));
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut all = Vec::new();
    let mut add = |name: &str, token: String, label| all.push(Bad { name: name.to_owned(), token, label });

    add(
        "a header with padding",
        sealed(&URL_SAFE.encode(format!("{} ", key.header())), &payload),
        "token_malformed",
    );
    add("a payload with padding", sealed(&header, &URL_SAFE.encode(&claims)), "token_malformed");
    add(
        "a payload in the other alphabet",
        sealed(&header, &STANDARD_NO_PAD.encode(&claims)),
        "token_malformed",
    );
    add("a payload with non-zero trailing bits", sealed(&header, &bump(&payload)), "token_malformed");
    add(
        "a payload with a character too few",
        sealed(&header, &format!("{payload}A")[..=payload.len() / 4 * 4]),
        "token_malformed",
    );
    for (name, white) in [
        ("a space", " "),
        ("a tab", "\t"),
        ("a percent escape", "%2e"),
        ("a plus", "+"),
        ("a dash that is none", "\u{2013}"),
    ] {
        add(
            &format!("a payload with {name} in it"),
            sealed(&header, &format!("{payload}{white}")),
            "token_malformed",
        );
    }
    add("a signature with padding", format!("{input}.{}", URL_SAFE.encode(&raw)), "signature_malformed");
    add(
        "a signature with non-zero trailing bits",
        format!("{input}.{}", bump(signature)),
        "signature_malformed",
    );
    add(
        "a signature with a space in it",
        format!("{input}.{} {}", &signature[..9], &signature[9..]),
        "signature_malformed",
    );
    add("a signature in quotes", format!("{input}.\"{signature}\""), "signature_malformed");
    add("a token behind a quote", format!("\"{good}"), "token_malformed");
    add("a token in two pairs of quotes", format!("\"\"{good}\"\""), "token_malformed");
    add("a token with Bearer before it", format!("Bearer {good}"), "token_malformed");
    add("one segment", header.clone(), "token_malformed");
    add("two segments", input.to_owned(), "token_malformed");
    add("four segments", format!("{good}.AA"), "token_malformed");
    add("five segments, as encryption has", format!("{good}.AA.AA"), "token_malformed");
    add("an empty segment before", format!(".{good}"), "token_malformed");
    add("an empty segment within", good.replacen('.', "..", 1), "token_malformed");
    add("only dots", "..".to_owned(), "header_malformed");
    add("an empty header", format!(".{payload}.{signature}"), "header_malformed");
    add("an empty payload", key.seal(&format!("{header}.")), "claims_malformed");
    add("an empty signature", format!("{input}."), "signature_invalid");
    add("JSON serialisation", format!("{{\"payload\":\"{payload}\"}}"), "token_malformed");
    all
}

/// Returns the same text with other unused bits in its last character.
fn bump(text: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = text.split_at(text.len() - 1);
    let at = ALPHABET.find(last).unwrap();
    let bumped = format!("{rest}{}", &ALPHABET[at + 1..at + 2]);
    assert!(URL_SAFE_NO_PAD.decode(&bumped).is_err(), "the last character has bits to spare");
    bumped
}
