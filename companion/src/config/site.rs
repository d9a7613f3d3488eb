//! Settings of the site that the pages belong to: how they look, and whom they lead to.

use std::fs;
use std::path::PathBuf;

use super::{Problem, Reader, Section, TextFileError, settings};

/// Maximum size of a logo, in bytes. Chosen: a page with everything stays below 50 KiB.
const MAX_LOGO_BYTES: u64 = 32 * 1024;
/// Minimum contrast of text (WCAG 2.2, success criterion 1.4.3).
const MIN_CONTRAST: f64 = 4.5;
/// Maximum number of links at the end of a page. Chosen: they are one line.
const MAX_LINKS: usize = 8;

/// Site that the pages belong to.
pub struct Site {
    /// `SITE_NAME`.
    pub name: String,
    /// `SITE_COLOR`, as in CSS.
    pub color: String,
    /// `SITE_LOGO`.
    pub logo: Option<Image>,
    /// `SITE_LINKS`.
    pub links: Vec<Link>,
    /// `SECURITY_CONTACT`.
    pub security_contact: Option<String>,
}

/// Link at the end of every page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Text.
    pub text: String,
    /// Address.
    pub address: String,
}

/// Picture.
#[derive(Clone)]
pub struct Image {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Content.
    pub bytes: Vec<u8>,
}

impl Section for Site {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name = reader.parsed(&settings::SITE_NAME, |text| {
            Some(text.trim().to_owned()).filter(|name| !name.is_empty())
        });
        let color = reader.parsed(&settings::SITE_COLOR, |text| {
            (contrast_with_white(text)? >= MIN_CONTRAST).then(|| text.to_owned())
        });
        let logo = read_logo(reader);
        let links = reader.parsed(&settings::SITE_LINKS, parse_links);
        let security_contact = match reader.given(&settings::SECURITY_CONTACT) {
            None => Some(None),
            Some(_) => reader.parsed(&settings::SECURITY_CONTACT, |text| {
                let is_address = has_rest(text, &["mailto:", "https://"]) && !text.contains(is_blank);
                is_address.then(|| Some(text.to_owned()))
            }),
        };
        Some(Self {
            name: name?,
            color: color?,
            logo: logo?,
            links: links?,
            security_contact: security_contact?,
        })
    }
}

/// Returns the contrast of white with a colour such as `#1f5fbf` (WCAG 2.2, "contrast ratio"). `None` if it is not one.
fn contrast_with_white(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let number =
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16))?.ok()?;
    let [_, red, green, blue] = number.to_be_bytes().map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    Some(1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05))
}

/// The outer `None` is a mistake.
#[expect(clippy::option_option, reason = "the outer one is that of every reader")]
fn read_logo(reader: &mut Reader<'_>) -> Option<Option<Image>> {
    let Some(path) = reader.given(&settings::SITE_LOGO).map(PathBuf::from) else { return Some(None) };
    let bytes = match fs::metadata(&path).and_then(|found| Ok((found.len(), fs::read(&path)?))) {
        Ok((size, bytes)) if size <= MAX_LOGO_BYTES => bytes,
        Ok(_) => return reader.reject(settings::SITE_LOGO.name, settings::SITE_LOGO.form.problem()),
        Err(error) => {
            let problem = Problem::FileUnreadable(path, TextFileError::Io(error.kind()));
            return reader.reject(settings::SITE_LOGO.name, problem);
        }
    };
    let content_type = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        "image/png"
    } else if str::from_utf8(&bytes).is_ok_and(|text| text.contains("<svg")) {
        "image/svg+xml"
    } else {
        return reader.reject(settings::SITE_LOGO.name, settings::SITE_LOGO.form.problem());
    };
    Some(Some(Image { content_type, bytes }))
}

/// Returns `true` if a text begins with one of these schemes, and goes on.
fn has_rest(text: &str, schemes: &[&str]) -> bool {
    schemes.iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}

/// Returns `true` for a character that no address has.
fn is_blank(char: char) -> bool {
    char.is_whitespace() || char.is_control() || char == '\\'
}

fn parse_links(text: &str) -> Option<Vec<Link>> {
    let links = text.split(',').map(str::trim).filter(|link| !link.is_empty()).map(|link| {
        let (text, address) = link.split_once('=')?;
        let (text, address) = (text.trim(), address.trim());
        let is_own = address.starts_with('/') && !address.starts_with("//");
        let is_address = is_own || has_rest(address, &["https://", "http://", "mailto:"]);
        let is_clean = !text.is_empty() && !link.contains(char::is_control) && !address.contains(is_blank);
        (is_address && is_clean).then(|| Link { text: text.to_owned(), address: address.to_owned() })
    });
    links.collect::<Option<Vec<_>>>().filter(|links| links.len() <= MAX_LINKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_must_be_dark_enough_for_white_text() {
        let contrast = |text| contrast_with_white(text).map(|contrast| (contrast * 100.0).round() / 100.0);
        assert_eq!(contrast("#000000"), Some(21.0));
        assert_eq!(contrast("#FFFFFF"), Some(1.0));
        assert_eq!(contrast("#767676"), Some(4.54));
        assert_eq!(contrast("#777777"), Some(4.48));
        for other in ["", "#", "1f5fbf", "#1f5fb", "#1f5fbff", "#1f5fbg", "red", "#+f5fbf", "#é5fbf"] {
            assert_eq!(contrast(other), None, "{other}");
        }
    }

    #[test]
    fn links_have_a_text_and_an_address() {
        let parse = |text| {
            parse_links(text).map(|links| {
                links.into_iter().map(|Link { text, address }| (text, address)).collect::<Vec<_>>()
            })
        };
        let pair = |text: &str, address: &str| (text.to_owned(), address.to_owned());
        assert_eq!(parse(""), Some(vec![]));
        assert_eq!(
            parse("Imprint=/imprint, Help=mailto:help@example.com"),
            Some(vec![pair("Imprint", "/imprint"), pair("Help", "mailto:help@example.com")])
        );
        assert_eq!(parse("A=https://a.example/?b=c"), Some(vec![pair("A", "https://a.example/?b=c")]));
        for wrong in [
            "Imprint",
            "=/imprint",
            "A=javascript:alert(1)",
            "A=a.example",
            "A\n=/a",
            "A=https://a b",
            "A=https://",
            "A=//a.example",
            "A=/\\a",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
