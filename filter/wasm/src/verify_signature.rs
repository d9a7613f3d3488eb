//! RS256 by the host's foreign function `verify_signature` (Envoy 1.30 and later), which is native code, and in software if
//! the host lacks it.

use edgeward_filter::rs256::{Backend, SoftwareRsa};

use crate::host;

/// Backend that asks the host first.
pub(crate) struct HostFirst;

impl Backend for HostFirst {
    fn verify(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let arguments = encode([b"sha256", key, signature, message]);
        match host::call_foreign("verify_signature", &arguments) {
            // Field 1 of the result is `true`. Field 2 would be an error.
            Some(result) => result == [0x08, 1],
            None => SoftwareRsa::verify(key, message, signature),
        }
    }
}

/// Encodes fields 1 to 4 of a protobuf message: hash function, public key, signature, text.
fn encode(fields: [&[u8]; 4]) -> Vec<u8> {
    let mut message = Vec::with_capacity(fields.iter().map(|field| field.len() + 6).sum());
    for (tag, field) in [0x0a, 0x12, 0x1a, 0x22].into_iter().zip(fields) {
        message.push(tag);
        let mut len = field.len();
        while let Ok(low) = u8::try_from(len & 0x7f)
            && len > 0x7f
        {
            message.push(low | 0x80);
            len >>= 7;
        }
        message.extend(u8::try_from(len));
        message.extend_from_slice(field);
    }
    message
}
