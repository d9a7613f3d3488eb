//! QR codes, as the path of an SVG picture.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};

/// Number of white modules around a code (ISO/IEC 18004, "quiet zone").
const MARGIN: i32 = 4;

/// QR code.
pub(super) struct Qr {
    /// Width and height of the picture, in modules.
    pub(super) size: i32,
    /// Path of the dark modules.
    pub(super) path: String,
}

/// Makes the QR code of a text. `None` if it is too long.
pub(super) fn encode(text: &str) -> Option<Qr> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // A `String` takes everything.
            _ = write!(path, "M{} {}h1v1h-1z", x + MARGIN, y + MARGIN);
        }
    }
    Some(Qr { size: code.size() + 2 * MARGIN, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_has_a_margin_and_the_three_finders() {
        let qr = encode("otpauth://totp/Edgeward:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        let corner = qr.size - MARGIN - 1;
        for (x, y) in [(MARGIN, MARGIN), (corner, MARGIN), (MARGIN, corner)] {
            assert!(qr.path.contains(&format!("M{x} {y}h1v1h-1z")), "{x} {y}");
        }
        assert!(!qr.path.contains("M3 ") && !qr.path.contains(" 3h"));
        assert!(encode(&"a".repeat(10_000)).is_none());
    }
}
