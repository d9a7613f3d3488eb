//! Words of a shell command. `shlex` splits them; bash's `$'…'`, which browsers write and POSIX shells lack, is turned
//! into plain quotes first.

use super::InvalidCurl;

/// Splits a command into words.
///
/// # Errors
/// A quote is not closed, or an escape is not bash's.
pub(super) fn split(command: &str) -> Result<Vec<String>, InvalidCurl> {
    if command.contains("^\"") || command.trim_end().ends_with('^') {
        return Err(InvalidCurl::Cmd);
    }
    shlex::split(&with_plain_quotes(command)?).ok_or(InvalidCurl::Unquoted)
}

/// Replaces each `$'…'` (bash manual, "ANSI-C Quoting") by a quoted word that means the same, and joins continued lines.
fn with_plain_quotes(command: &str) -> Result<String, InvalidCurl> {
    let mut plain = String::with_capacity(command.len());
    let command = command.replace("\r\n", "\n");
    let mut chars = command.chars().peekable();
    let mut quote = None;
    while let Some(char) = chars.next() {
        match (quote, char) {
            (None, '$') if chars.next_if_eq(&'\'').is_some() => {
                let text = ansi_c(&mut chars)?;
                plain.push_str(&shlex::try_quote(&text).map_err(|_| InvalidCurl::EscapeUnknown('0'))?);
                continue;
            }
            // A continued line (POSIX shell §2.2.1), which `shlex` takes for an empty word.
            (None | Some('"'), '\\') if chars.next_if_eq(&'\n').is_some() => continue,
            (None | Some('"'), '\\') => {
                plain.push(char);
                plain.extend(chars.next());
                continue;
            }
            (None, '\'' | '"') => quote = Some(char),
            (Some(open), char) if open == char => quote = None,
            _ => {}
        }
        plain.push(char);
    }
    Ok(plain)
}

/// Reads up to the closing quote.
fn ansi_c(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, InvalidCurl> {
    let mut text = Vec::new();
    loop {
        match chars.next().ok_or(InvalidCurl::Unquoted)? {
            '\'' => return Ok(String::from_utf8_lossy(&text).into_owned()),
            '\\' => {
                let escape = chars.next().ok_or(InvalidCurl::Unquoted)?;
                match escape {
                    'n' => text.push(b'\n'),
                    'r' => text.push(b'\r'),
                    't' => text.push(b'\t'),
                    '\\' | '\'' | '"' | '?' => text.extend(escape.to_string().bytes()),
                    'x' => {
                        let code = code(chars, 2).ok_or(InvalidCurl::EscapeUnknown(escape))?;
                        text.push(u8::try_from(code).map_err(|_| InvalidCurl::EscapeUnknown(escape))?);
                    }
                    'u' | 'U' => {
                        let digits = if escape == 'u' { 4 } else { 8 };
                        let char = code(chars, digits).and_then(char::from_u32);
                        text.extend(char.ok_or(InvalidCurl::EscapeUnknown(escape))?.to_string().bytes());
                    }
                    other => return Err(InvalidCurl::EscapeUnknown(other)),
                }
            }
            char => text.extend(char.to_string().bytes()),
        }
    }
}

/// Reads one to `most` hexadecimal digits.
fn code(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, most: usize) -> Option<u32> {
    let mut code = None;
    for _ in 0..most {
        let Some(digit) = chars.peek().and_then(|char| char.to_digit(16)) else { break };
        chars.next();
        code = Some(code.unwrap_or(0) * 16 + digit);
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_bash() {
        for (command, expected) in [
            (r#"curl 'a b' "c d" e\ f"#, &["curl", "a b", "c d", "e f"][..]),
            ("curl \\\n  -H 'x: $y' \\\r\n  z", &["curl", "-H", "x: $y", "z"]),
            ("curl a\\\nb \"c\\\nd\" 'e\\\nf'", &["curl", "ab", "cd", "e\\\nf"]),
            (r"curl $'it\'s \u00e9 \x21\n\\' x", &["curl", "it's é !\n\\", "x"]),
            (r#"curl '$'\''x' "a$'b'""#, &["curl", "$'x", "a$'b'"]),
            (r"curl $'\xc3\xa9'", &["curl", "é"]),
        ] {
            assert_eq!(split(command).unwrap(), expected, "{command}");
        }
    }

    #[test]
    fn command_that_bash_would_not_take_is_rejected() {
        for (command, expected) in [
            ("curl 'a", InvalidCurl::Unquoted),
            ("curl $'a", InvalidCurl::Unquoted),
            ("curl a\\", InvalidCurl::Unquoted),
            (r"curl $'\q'", InvalidCurl::EscapeUnknown('q')),
            (r"curl $'\u{d800}'", InvalidCurl::EscapeUnknown('u')),
            ("curl ^\"https://a/^\" ^\n -H ^\"a: b^\"", InvalidCurl::Cmd),
        ] {
            assert_eq!(split(command), Err(expected), "{command}");
        }
    }
}
