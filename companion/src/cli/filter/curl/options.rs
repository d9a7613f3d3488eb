//! The options of `curl` (curl 8.15, `man curl`): those that change a request, and those that change nothing in it.

use super::InvalidCurl;

/// Meaning of an option for the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Url,
    Method,
    Header,
    Cookie,
    UserAgent,
    Referer,
    Authorization,
    Data,
    Json,
    Form,
    Get,
    Head,
    Compressed,
    PathAsIs,
    Nothing,
}

/// Option, as it is written, with its value; empty if it takes none.
pub(super) struct Parsed {
    pub(super) option: String,
    pub(super) meaning: Meaning,
    pub(super) value: String,
}

/// Letter (`\0` for none), name, `true` if it takes a value, and meaning.
const OPTIONS: &[(char, &str, bool, Meaning)] = &[
    ('X', "request", true, Meaning::Method),
    ('H', "header", true, Meaning::Header),
    ('b', "cookie", true, Meaning::Cookie),
    ('A', "user-agent", true, Meaning::UserAgent),
    ('e', "referer", true, Meaning::Referer),
    ('u', "user", true, Meaning::Authorization),
    ('d', "data", true, Meaning::Data),
    ('\0', "data-ascii", true, Meaning::Data),
    ('\0', "data-binary", true, Meaning::Data),
    ('\0', "data-raw", true, Meaning::Data),
    ('\0', "data-urlencode", true, Meaning::Data),
    ('\0', "json", true, Meaning::Json),
    ('F', "form", true, Meaning::Form),
    ('\0', "form-string", true, Meaning::Form),
    ('G', "get", false, Meaning::Get),
    ('I', "head", false, Meaning::Head),
    ('\0', "compressed", false, Meaning::Compressed),
    ('\0', "url", true, Meaning::Url),
    ('s', "silent", false, Meaning::Nothing),
    ('S', "show-error", false, Meaning::Nothing),
    ('i', "include", false, Meaning::Nothing),
    ('i', "show-headers", false, Meaning::Nothing),
    ('v', "verbose", false, Meaning::Nothing),
    ('k', "insecure", false, Meaning::Nothing),
    ('L', "location", false, Meaning::Nothing),
    ('f', "fail", false, Meaning::Nothing),
    ('\0', "fail-with-body", false, Meaning::Nothing),
    ('g', "globoff", false, Meaning::Nothing),
    ('N', "no-buffer", false, Meaning::Nothing),
    ('O', "remote-name", false, Meaning::Nothing),
    ('J', "remote-header-name", false, Meaning::Nothing),
    ('4', "ipv4", false, Meaning::Nothing),
    ('6', "ipv6", false, Meaning::Nothing),
    ('0', "http1.0", false, Meaning::Nothing),
    ('\0', "http1.1", false, Meaning::Nothing),
    ('\0', "http2", false, Meaning::Nothing),
    ('\0', "http2-prior-knowledge", false, Meaning::Nothing),
    ('\0', "http3", false, Meaning::Nothing),
    ('\0', "path-as-is", false, Meaning::PathAsIs),
    ('\0', "no-progress-meter", false, Meaning::Nothing),
    ('#', "progress-bar", false, Meaning::Nothing),
    ('o', "output", true, Meaning::Nothing),
    ('w', "write-out", true, Meaning::Nothing),
    ('c', "cookie-jar", true, Meaning::Nothing),
    ('D', "dump-header", true, Meaning::Nothing),
    ('m', "max-time", true, Meaning::Nothing),
    ('\0', "connect-timeout", true, Meaning::Nothing),
    ('\0', "retry", true, Meaning::Nothing),
    ('\0', "resolve", true, Meaning::Nothing),
    ('\0', "connect-to", true, Meaning::Nothing),
    ('\0', "cacert", true, Meaning::Nothing),
    ('E', "cert", true, Meaning::Nothing),
    ('\0', "key", true, Meaning::Nothing),
    ('x', "proxy", true, Meaning::Nothing),
];

/// Reads the words after `curl`. A word that is no option is a URL.
///
/// # Errors
/// An option is not known, or has no value.
pub(super) fn read(words: impl Iterator<Item = String>) -> Result<Vec<Parsed>, InvalidCurl> {
    let (mut words, mut parsed) = (words, Vec::new());
    while let Some(word) = words.next() {
        if let Some(name) = word.strip_prefix("--").filter(|name| !name.is_empty()) {
            // curl takes the value as the next word alone; what stands behind = may be a secret.
            let known = OPTIONS.iter().find(|(_, this, _, _)| *this == name);
            let name = name.split('=').next().unwrap_or_default();
            let (_, _, takes_value, meaning) =
                known.ok_or_else(|| InvalidCurl::OptionUnknown(format!("--{name}")))?;
            let value = if *takes_value { words.next() } else { Some(String::new()) };
            parsed.push(Parsed::new(&word, *meaning, value)?);
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            read_letters(letters, &mut words, &mut parsed)?;
        } else {
            parsed.push(Parsed { option: "--url".to_owned(), meaning: Meaning::Url, value: word });
        }
    }
    Ok(parsed)
}

/// Reads `-sXPOST`: letters, of which the first that takes a value has the rest for it, or else the next word.
fn read_letters(
    letters: &str,
    words: &mut impl Iterator<Item = String>,
    parsed: &mut Vec<Parsed>,
) -> Result<(), InvalidCurl> {
    for (at, letter) in letters.char_indices() {
        let option = format!("-{letter}");
        let known = OPTIONS.iter().find(|(this, _, _, _)| *this == letter);
        let (_, _, takes_value, meaning) = known.ok_or(InvalidCurl::OptionUnknown(option.clone()))?;
        if *takes_value {
            let rest = letters.get(at + letter.len_utf8()..).unwrap_or_default();
            let value = if rest.is_empty() { words.next() } else { Some(rest.to_owned()) };
            parsed.push(Parsed::new(&option, *meaning, value)?);
            return Ok(());
        }
        parsed.push(Parsed { option, meaning: *meaning, value: String::new() });
    }
    Ok(())
}

impl Parsed {
    fn new(option: &str, meaning: Meaning, value: Option<String>) -> Result<Self, InvalidCurl> {
        let option = option.to_owned();
        match value {
            None => Err(InvalidCurl::ValueMissing(option)),
            // Of data, only --data-raw takes an @ as it is.
            Some(value) if meaning == Meaning::Data && option != "--data-raw" && value.starts_with('@') => {
                Ok(Self { option, meaning: Meaning::Form, value: String::new() })
            }
            Some(value) => Ok(Self { option, meaning, value }),
        }
    }
}
