//! Tokens that are accepted, and the reason for each rejection.

use super::*;

const CLAIMS: RefreshClaims =
    RefreshClaims { user_id: UserId(3), session_id: SessionId(7), generation: 5, issued_at: 1_893_456_000 };

fn secret(letter: &str) -> SecretString {
    letter.repeat(32).into()
}

fn tokens(issuer: &str, secrets: &[SecretString]) -> RefreshTokens {
    RefreshTokens::new(issuer.to_owned(), Duration::days(30), secrets).unwrap()
}

#[test]
fn newest_secret_signs_and_all_of_them_verify() {
    let former = tokens("issuer", &[secret("a")]);
    let current = tokens("issuer", &[secret("b"), secret("a")]);
    let token = former.sign(CLAIMS).unwrap();
    assert_eq!(current.verify(&token), Ok(CLAIMS));
    let token = current.sign(CLAIMS).unwrap();
    assert_eq!(current.verify(&token), Ok(CLAIMS));
    assert_eq!(former.verify(&token), Err(InvalidJws::SignatureInvalid.into()));
    assert!(RefreshTokens::new("issuer".to_owned(), Duration::days(30), &[]).is_none());
}

#[test]
fn token_of_another_issuer_is_rejected() {
    let token = tokens("another", &[secret("a")]).sign(CLAIMS).unwrap();
    let verified = tokens("issuer", &[secret("a")]).verify(&token);
    assert_eq!(verified, Err(RefreshTokenRejection::IssuerUnexpected));
}

#[test]
fn token_with_another_header_or_id_is_rejected() {
    let tokens = tokens("issuer", &[secret("a")]);
    let check = |typ: &str, sub: &str, jti: &str, expected| {
        let (iss, sub, jti) = ("issuer".to_owned(), sub.to_owned(), jti.to_owned());
        let claims = Claims { iss, sub, jti, iat: CLAIMS.issued_at, exp: CLAIMS.issued_at + 1 };
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(typ.to_owned());
        let token = jws::sign(&header, &claims, |message| jws::hmac(message, &tokens.signing)).unwrap();
        assert_eq!(tokens.verify(&token), expected, "{typ} {:?} {:?}", claims.sub, claims.jti);
    };
    check(REFRESH_TOKEN_TYP, "3", "7.5", Ok(CLAIMS));
    check("at+jwt", "3", "7.5", Err(RefreshTokenRejection::TypUnexpected));
    let greatest = format!("7.{}", i64::MAX);
    for (sub, jti) in
        [("+3", "7.5"), ("3", "7"), ("3", "7.0"), ("3", "-7.5"), ("3", "7.5.1"), ("3", &greatest)]
    {
        check(REFRESH_TOKEN_TYP, sub, jti, Err(RefreshTokenRejection::IdMalformed));
    }
}
