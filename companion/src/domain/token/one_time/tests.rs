//! Tokens and codes: texts that are read, and texts that are not.

use aws_lc_rs::rand::SystemRandom;

use super::*;

#[test]
fn token_is_read_from_its_own_text_alone() {
    let random = SystemRandom::new();
    let [token, other] = [(); 2].map(|()| OneTimeToken::generate(&random).unwrap());
    let text = token.expose();
    assert_eq!(text.len(), 43);
    assert!(OneTimeToken::parse(&text) == Some(token.clone()));
    assert_ne!(token.hash(), other.hash());
    let shorter: String = text.chars().skip(1).collect();
    for bad in ["", "AAAA", "not base64!", &shorter, &format!("{text}A"), &format!("{text}=")] {
        assert!(OneTimeToken::parse(bad).is_none(), "{bad}");
    }
}

#[test]
fn code_is_typed_with_or_without_gaps() {
    for (typed, expected) in [
        ("12345678", Some("12345678")),
        (" 1234 5678\n", Some("12345678")),
        ("1234-5678", Some("12345678")),
        ("1234567", None),
        ("123456789", None),
        ("1234567x", None),
        ("١٢٣٤٥٦٧٨", None),
        ("", None),
    ] {
        assert_eq!(Code::parse(typed).as_ref().map(Code::expose), expected, "{typed}");
    }
    let random = SystemRandom::new();
    for _ in 0..100 {
        let code = Code::generate(&random).unwrap();
        assert!(Code::parse(code.expose()) == Some(code));
    }
}

#[test]
fn code_counts_beside_its_handle_alone() {
    let random = SystemRandom::new();
    let [handle, other] = [(); 2].map(|()| OneTimeToken::generate(&random).unwrap());
    let code = Code::parse("12345678").unwrap();
    assert_eq!(code.hash(&handle), code.clone().hash(&handle));
    assert_ne!(code.hash(&handle), code.hash(&other));
    assert_ne!(code.hash(&handle), handle.hash());
}
