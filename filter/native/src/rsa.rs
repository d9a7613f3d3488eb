//! RS256 by AWS-LC.

use std::cell::RefCell;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use edgeward_filter::rs256::Backend;

/// Maximum number of parsed keys that a worker keeps. Chosen: several key sets.
const MAX_PARSED: usize = 64;

thread_local! {
    /// Parsed keys by their DER form: to parse one costs a good part of a verification.
    static PARSED: RefCell<Vec<(Vec<u8>, ParsedPublicKey)>> = const { RefCell::new(Vec::new()) };
}

/// Backend in native code.
pub(crate) struct AwsLc;

impl Backend for AwsLc {
    fn verify(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        PARSED.with_borrow_mut(|parsed| {
            let known = parsed.iter().position(|(der, _)| der == key);
            let at = known.unwrap_or_else(|| {
                let Ok(new) = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key) else {
                    return usize::MAX;
                };
                if parsed.len() >= MAX_PARSED {
                    parsed.clear();
                }
                parsed.push((key.to_vec(), new));
                parsed.len() - 1
            });
            parsed.get(at).is_some_and(|(_, key)| key.verify_sig(message, signature).is_ok())
        })
    }
}
