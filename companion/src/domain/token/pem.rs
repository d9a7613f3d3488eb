//! PEM files as people's tools write them (RFC 7468, and the additions of `openssl`): finds the block that is the key.
//! [`rsa_key`](super::rsa_key) reads the key itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::invalid_key::InvalidKey;

/// DER object identifiers of algorithms other than RSA (RFC 8410, RFC 5480), and their names in messages.
const OTHER_ALGORITHMS: [(&[u8], &str); 4] = [
    (&[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01], "an EC key"),
    (&[0x06, 0x03, 0x2b, 0x65, 0x70], "an Ed25519 key"),
    (&[0x06, 0x03, 0x2b, 0x65, 0x71], "an Ed448 key"),
    (&[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a], "an RSA-PSS key"),
];

/// Length of the beginning of a key that contains the object identifier, in bytes.
const HEADER_BYTES: usize = 32;

/// One block of a PEM file: its label, and the lines within, joined.
struct Block<'a> {
    label: &'a str,
    body: String,
}

/// Finds the only block with one of these labels, and decodes it. Text around the blocks, other blocks, indentation,
/// CRLF and a byte-order mark are ignored.
///
/// # Errors
/// [`InvalidKey`] if there is no such block, or more than one, or if it is encrypted.
pub(super) fn find<'a>(file: &[u8], labels: &[&'a str]) -> Result<(&'a str, Vec<u8>), InvalidKey> {
    if file.starts_with(&[0xff, 0xfe]) || file.starts_with(&[0xfe, 0xff]) {
        return Err(InvalidKey::Utf16);
    }
    // In DER, this begins a sequence.
    if file.starts_with(&[0x30, 0x82]) {
        return Err(InvalidKey::Der);
    }
    // The text around the blocks may be in any encoding; the blocks are ASCII.
    let text = String::from_utf8_lossy(file);
    let blocks = read_blocks(&text)?;
    let label_of = |block: &Block<'_>| labels.iter().find(|label| **label == block.label).copied();
    let mut wanted = blocks.iter().filter_map(|block| Some((label_of(block)?, block)));
    let (label, block) = match (wanted.next(), wanted.next()) {
        (Some(found), None) => found,
        (Some(_), Some(_)) => return Err(InvalidKey::SeveralKeys),
        (None, _) => {
            return Err(blocks.first().map_or(InvalidKey::NotPem, |block| fault_of_label(block.label)));
        }
    };
    // RFC 1421 §4.6: openssl encrypted keys this way before PKCS#8.
    if block.body.contains("ENCRYPTED") {
        return Err(InvalidKey::Encrypted);
    }
    Ok((label, STANDARD.decode(&block.body).map_err(|_| InvalidKey::NotPem)?))
}

fn read_blocks(text: &str) -> Result<Vec<Block<'_>>, InvalidKey> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let line = line.trim_start_matches('\u{feff}').trim();
        let label = |start| line.strip_prefix(start).and_then(|rest: &str| rest.strip_suffix("-----"));
        if let Some(label) = label("-----BEGIN ") {
            blocks.push(Block { label, body: String::new() });
            open = true;
        } else if label("-----END ").is_some() {
            open = false;
        } else if let Some(block) = blocks.last_mut().filter(|_| open) {
            block.body.push_str(line);
        }
    }
    // The file is truncated.
    if open { Err(InvalidKey::NotPem) } else { Ok(blocks) }
}

fn fault_of_label(label: &str) -> InvalidKey {
    match label {
        "ENCRYPTED PRIVATE KEY" => InvalidKey::Encrypted,
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => InvalidKey::Certificate,
        "EC PRIVATE KEY" | "EC PARAMETERS" => InvalidKey::OtherAlgorithm("an EC key"),
        "DSA PRIVATE KEY" => InvalidKey::OtherAlgorithm("a DSA key"),
        "OPENSSH PRIVATE KEY" => InvalidKey::OtherAlgorithm("a key for OpenSSH"),
        _ => InvalidKey::WrongLabel,
    }
}

/// Finds the fault of DER that is not an RSA key.
pub(super) fn find_fault(der: &[u8]) -> InvalidKey {
    let header = der.get(..HEADER_BYTES.min(der.len())).unwrap_or_default();
    let has = |oid: &[u8]| header.windows(oid.len()).any(|window| window == oid);
    let other = OTHER_ALGORITHMS.iter().find(|(oid, _)| has(oid));
    other.map_or(InvalidKey::NotRsa, |(_, name)| InvalidKey::OtherAlgorithm(name))
}
