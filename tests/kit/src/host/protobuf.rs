//! `verify_signature` as Envoy has it (1.30 and later): a protobuf message in, another one out.

use aws_lc_rs::signature::{RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};

/// Responds to a request; `None` if it cannot be parsed. Like Envoy, it takes RSA keys of any size.
pub(super) fn verify_signature(request: &[u8]) -> Option<Vec<u8>> {
    let mut fields = [&[][..]; 4];
    let mut rest = request;
    while let Some((&tag, after)) = rest.split_first() {
        let (len, after) = varint(after)?;
        let (value, after) = after.split_at_checked(len)?;
        *fields.get_mut(usize::from(tag >> 3).checked_sub(1)?)? = value;
        rest = after;
    }
    let [hash, key, signature, text] = fields;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, key);
    if hash == b"sha256" && key.verify(text, signature).is_ok() {
        return Some(vec![0x08, 1]);
    }
    // Field 1, false, is left out as proto3 leaves out a default; field 2 is the reason.
    Some([&[0x12, 3][..], b"bad"].concat())
}

fn varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}
