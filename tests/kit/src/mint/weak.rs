//! Tokens signed with keys that are too weak for a key set: of 1,024 bits, and with small exponents. Their private halves
//! are published here. Headers and claims are good.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::BoxedUint;
use serde_json::json;

use super::{Bad, Key, payload};

/// `DigestInfo` of SHA-256 up to the digest (RFC 8017 §9.2, note 1).
const SHA256_PREFIX: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// Signing key: a modulus and a private exponent, in base64url.
struct Weak {
    name: &'static str,
    modulus: &'static str,
    exponent: &'static str,
}

const SHORT: Weak = Weak {
    name: "a key of 1,024 bits",
    modulus: concat!(
        "1Diq35KEKlPfiaNiovJbVojP1OoQaNvOPUQH-vhQ8Z2taShiOk8Uh7hm16MvTZHnUXq4nb01t2C0SQw0ptTEAPbi",
        "yVi-bdedZGy0MYpbE_PFGeLnmbjGpz-aEr2PsHLKkXSyngt6j6KzMn1ib71QYZZnLizUBcscuh5M975mlgs",
    ),
    exponent: concat!(
        "0QqcrisZisQhXeeVomJOPDf5WIXS8icJyOl5Xuo4eTdS-FFyKHN7CpFGpEQ2tRbyHx1eOuqEvgRAse-W8XqFMY2l",
        "oM-jgEGwxxxihGgX2_cER34PY59WIO45bDDoVDZAiO9vmnzVaJatH5egW_3NaeEcrVMipLaf6ioQnwUG_6E",
    ),
};

const CUBE: Weak = Weak {
    name: "a key with e = 3",
    modulus: concat!(
        "vp8pafnVkGH2LWcgVsOAorFsai3PeKvE3ig2nTz-_fh5OJ5cvVm1b6lAYx0PlbfnGYpf92BuInN5f6AbQ_Ba18_q",
        "AoWvPqt6eZLzQjJU1tzedvPXQkqQpgBhd8unO4RPdzyUod82rF5av-VbKwh2uifen9sSGz7VztM0UFAa11DX2rDM",
        "LVcV-o2KfUBMUgD_Zgrry-x6UxHkzHuttZUbRPUxjHA-bdLFBIBhITMmDGnrbn4nULcohvSsk9T0FqS_v3yDc7jT",
        "pbxPnnuLURmr8xd-MkcsD--JrLJtGXcXVmLivAramJkzTijQaTaRtQKUxLvTjzd5n85oGrgH7xv6Iw",
    ),
    exponent: concat!(
        "fxTGRqaOYEFOyO9q5IJVwcudnB6KUHKDPsV5viip_qWmJb7ofjvOSnDVl2i1DnqaEQbqpOr0FvemVRVngqA8j9_x",
        "VwPKKcem-7dM1sw4jz3ppKKPgYcLGVWWT90aJ62KT324a-okcumR1UOSHLBPJsU_FTy2vNSOieIi4DVnOjS-lRw_",
        "sFV_pYhZKXKMwz4ChSJJy5vnkyHiX519OUXoiqAapLZYwhd01RoNkOO5lCpfvMVuP8J9ukCTk3dlrO6N1MEsu_Hb",
        "4S4mF9u9fGOGbwnq2q3aUSXzcM1zDfbJCQ2UUwWXp2DDR3opmpR5OEQwEjC-wYb78CnzMRbMglbtyw",
    ),
};

/// Key with the exponent 1. A number to the power of 1 is the number itself, so that anybody can sign.
const IDENTITY: Weak = Weak { name: "a key with e = 1", modulus: CUBE.modulus, exponent: "AQ" };

pub(super) fn bad(key: &Key, now: u64) -> Vec<Bad> {
    let mut all = Vec::new();
    for weak in [SHORT, CUBE, IDENTITY] {
        for (named, kid, label) in [
            ("under our kid", key.kid.as_str(), "signature_invalid"),
            ("under a kid of its own", weak.name, "kid_unknown"),
        ] {
            let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": kid}).to_string();
            let input = [header, payload(now)].map(|text| URL_SAFE_NO_PAD.encode(text)).join(".");
            let signature = URL_SAFE_NO_PAD.encode(weak.sign(&input));
            let name = format!("{}, {named}", weak.name);
            all.push(Bad { name, token: format!("{input}.{signature}"), label });
        }
    }
    all
}

impl Weak {
    /// Signs by RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.1). Libraries reject such keys.
    fn sign(&self, message: &str) -> Vec<u8> {
        let number = |text: &[u8]| BoxedUint::from_be_slice_vartime(text);
        let modulus = URL_SAFE_NO_PAD.decode(self.modulus).unwrap();
        let exponent = URL_SAFE_NO_PAD.decode(self.exponent).unwrap();
        let digest = digest::digest(&digest::SHA256, message.as_bytes());
        let info = [&SHA256_PREFIX[..], digest.as_ref()].concat();
        let padding = vec![0xff; modulus.len() - info.len() - 3];
        let encoded = [&[0, 1], &padding[..], &[0], &info].concat();
        let power = number(&encoded).pow_mod(&number(&exponent), &number(&modulus).to_odd().unwrap());
        power.to_be_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY as LEGACY, RsaPublicKeyComponents,
    };

    use super::*;

    #[test]
    fn signatures_of_weak_keys_verify_with_their_public_halves() {
        for (weak, exponent) in [(SHORT, &[1, 0, 1][..]), (CUBE, &[3])] {
            let modulus = URL_SAFE_NO_PAD.decode(weak.modulus).unwrap();
            let public = RsaPublicKeyComponents { n: &modulus[..], e: exponent };
            public.verify(&LEGACY, b"message", &weak.sign("message")).unwrap();
        }
    }
}
