//! Signatures that must be rejected: of other keys, of other schemes, and damaged ones. Headers and claims are good.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Bad, Key, payload, payload_with, pem};

pub(super) fn bad(key: &Key, stranger: &Key, now: u64) -> Vec<Bad> {
    let good = key.good(now);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = raw.clone();
        change(&mut bytes);
        bytes
    };
    let hmac = |secret: &[u8]| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes()).as_ref().to_vec()
    };
    let public_pem = pem("PUBLIC KEY", &key.public_der());
    let bytes = [
        ("a signature with its first bit flipped", changed(&|bytes| bytes[0] ^= 0x80)),
        ("a signature with a bit flipped", changed(&|bytes| bytes[100] ^= 1)),
        ("a signature with its last bit flipped", changed(&|bytes| bytes[255] ^= 1)),
        ("a signature cut short", raw[..255].to_vec()),
        ("half a signature, as long as a 1,024-bit key's", raw[..128].to_vec()),
        ("a signature with a zero behind", [&raw[..], &[0]].concat()),
        ("a signature with a zero before", [&[0], &raw[..]].concat()),
        ("a signature twice", [&raw[..], &raw[..]].concat()),
        ("a signature of zeros", vec![0; 256]),
        (
            "a signature of one",
            changed(&|bytes| {
                bytes.fill(0);
                bytes[255] = 1;
            }),
        ),
        ("a signature above the modulus", vec![0xff; 256]),
        ("a signature as long as an ECDSA one", vec![7; 64]),
        ("one byte of signature", vec![0]),
        ("another key's signature under this kid", stranger.sign(&RSA_PKCS1_SHA256, input)),
        ("SHA-384", key.sign(&RSA_PKCS1_SHA384, input)),
        ("SHA-512", key.sign(&RSA_PKCS1_SHA512, input)),
        ("PSS padding", key.sign(&RSA_PSS_SHA256, input)),
        ("HMAC keyed with the public key in DER", hmac(&key.public_der())),
        ("HMAC keyed with the public key in PEM", hmac(public_pem.as_bytes())),
        ("HMAC keyed with the public key in PEM, trimmed", hmac(public_pem.trim_end().as_bytes())),
        ("HMAC keyed with the public key as a JWK", hmac(key.jwk().to_string().as_bytes())),
        ("HMAC keyed with the modulus", hmac(key.jwk()["n"].as_str().unwrap().as_bytes())),
        ("HMAC keyed with nothing", hmac(b"")),
    ];
    let mut all: Vec<Bad> = bytes
        .into_iter()
        .map(|(name, bytes)| Bad {
            name: name.to_owned(),
            token: format!("{input}.{}", URL_SAFE_NO_PAD.encode(bytes)),
            label: "signature_invalid",
        })
        .collect();
    let segment = |text: &str| URL_SAFE_NO_PAD.encode(text);
    for (name, forged) in [
        (
            "another payload under this signature",
            [segment(&key.header()), segment(&payload_with(now, "role", "\"admin\""))],
        ),
        (
            "another header under this signature",
            [segment(&format!(" {}", key.header())), segment(&payload(now))],
        ),
    ] {
        let token = format!("{}.{signature}", forged.join("."));
        all.push(Bad { name: name.to_owned(), token, label: "signature_invalid" });
    }
    all
}
