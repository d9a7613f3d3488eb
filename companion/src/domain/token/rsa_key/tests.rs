//! Keys as files have them, and keys that are rejected.

use secrecy::ExposeSecret;

use super::*;

#[test]
fn key_id_is_the_rfc_7638_thumbprint() {
    // RFC 7638 §3.1.
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let modulus = URL_SAFE_NO_PAD.decode(n).unwrap();
    let mut pkcs1 = vec![0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00];
    pkcs1.extend_from_slice(&modulus);
    pkcs1.extend_from_slice(&[0x02, 0x03, 0x01, 0x00, 0x01]);
    let key = PublicKey::new(&RsaPublicKey::from_der(&pkcs1).unwrap()).unwrap();
    assert_eq!(key.kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(key.bits(), 2048);
}

#[test]
fn key_beyond_the_limits_of_the_filter_is_rejected() {
    let check = |bits: usize, exponent: &[u8], expected| {
        let length = |bytes: &[u8]| match u8::try_from(bytes.len()) {
            Ok(short @ ..0x80) => vec![short],
            _ => [&[0x82][..], &u16::try_from(bytes.len()).unwrap().to_be_bytes()].concat(),
        };
        let number = |bytes: &[u8]| [&[0x02], &length(bytes)[..], bytes].concat();
        let numbers = [number(&[vec![0], vec![0xff; bits / 8]].concat()), number(exponent)].concat();
        let der = [&[0x30], &length(&numbers)[..], &numbers].concat();
        let pem = pem_rfc7468::encode_string("RSA PUBLIC KEY", LineEnding::LF, &der).unwrap();
        assert_eq!(PublicKey::from_pem(pem.as_bytes()).err(), expected, "{bits} {exponent:?}");
    };
    check(2048, &[1, 0, 1], None);
    check(8192, &[1, 0, 1], None);
    check(8200, &[1, 0, 1], Some(InvalidKey::WrongSize));
    check(2048, &[3], Some(InvalidKey::WrongExponent));
    check(2048, &[1, 0, 0, 0, 1], Some(InvalidKey::WrongExponent));
    assert!(PrivateKey::generate(KeySize::Rsa4096).is_none());
}

#[test]
fn key_is_read_as_it_was_written_in_either_form() {
    let key = PrivateKey::generate(KeySize::Rsa2048).unwrap();
    let pem = key.to_pem().unwrap();
    let again = PrivateKey::from_pem(pem.expose_secret().as_bytes()).unwrap();
    assert_eq!(again.public().kid(), key.public().kid());
    let public = PublicKey::from_pem(key.public().to_pem().unwrap().as_bytes()).unwrap();
    assert_eq!(public.kid(), key.public().kid());

    // PKCS#8 wraps PKCS#1 in a version, an algorithm and a length: 26 bytes for a key of this size.
    let pem = pem_rfc7468::encode_string("RSA PRIVATE KEY", LineEnding::LF, &key.pkcs8[26..]).unwrap();
    assert_eq!(PrivateKey::from_pem(pem.as_bytes()).unwrap().public().kid(), key.public().kid());
}

#[test]
fn file_without_a_key_is_rejected() {
    let check = |pem: &str, expected| assert_eq!(PrivateKey::from_pem(pem.as_bytes()).err(), Some(expected));
    check("", InvalidKey::NotPem);
    check("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", InvalidKey::Certificate);
    check("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", InvalidKey::NotRsa);
    let public = PrivateKey::generate(KeySize::Rsa2048).unwrap().public().to_pem().unwrap();
    check(&public, InvalidKey::WrongLabel);
}

#[test]
fn key_is_found_in_a_file_as_tools_write_it() {
    let key = PrivateKey::generate(KeySize::Rsa2048).unwrap();
    let (private, public) = (key.to_pem().unwrap(), key.public().to_pem().unwrap());
    let private = private.expose_secret();
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let bags = "Bag Attributes\n    friendlyName: \u{fc}\nKey Attributes: <No Attributes>\n";
    let on_one_line = private.replace("KEY-----\n", "KEY-----|").replace('\n', "").replace('|', "\n");
    for file in [
        format!("\u{feff}{private}"),
        private.replace('\n', "\r\n"),
        format!("{bags}{private}{certificate}"),
        format!("{certificate}{public}{private}Private-Key: (2048 bit)\nmodulus:\n    00:b2\n"),
        private.replace('\n', "\n  "),
        on_one_line.replace("-----END", "\n-----END"),
    ] {
        let found = PrivateKey::from_pem(file.as_bytes()).map(|found| found.public().kid().to_owned());
        assert_eq!(found.as_deref(), Ok(key.public().kid()), "{file}");
    }
    let both = format!("{private}{public}");
    assert_eq!(PublicKey::from_pem(both.as_bytes()).unwrap().kid(), key.public().kid());
    let check = |file: &[u8], expected| assert_eq!(PrivateKey::from_pem(file).err(), Some(expected));
    check(format!("{private}{private}").as_bytes(), InvalidKey::SeveralKeys);
    check(&key.pkcs8, InvalidKey::Der);
    check(private.replace("-----END", "").as_bytes(), InvalidKey::NotPem);
    check(b"\xff\xfe-\0", InvalidKey::Utf16);
    let headers = "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n";
    check(private.replacen("KEY-----\n", headers, 1).as_bytes(), InvalidKey::Encrypted);
    check(private.replace("PRIVATE", "ENCRYPTED PRIVATE").as_bytes(), InvalidKey::Encrypted);
    check(private.replace("PRIVATE", "EC PRIVATE").as_bytes(), InvalidKey::OtherAlgorithm("an EC key"));
    // RFC 8410 §10.3.
    let ed25519 = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
    let ed25519 = format!("-----BEGIN PRIVATE KEY-----\n{ed25519}\n-----END PRIVATE KEY-----\n");
    check(ed25519.as_bytes(), InvalidKey::OtherAlgorithm("an Ed25519 key"));
}
