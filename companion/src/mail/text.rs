//! Words of the mails, by language. `{site}`, `{at}`, `{device}`, `{network}`, `{email}` and `{factors}` stand for the details.

mod de;
mod en;

use crate::domain::language::Language;
use crate::domain::mail::{FactorChange, MailKind};

/// Words of one language.
pub(super) struct Text {
    /// Language tag (RFC 5646).
    pub(super) lang: &'static str,
    /// Words before a code.
    pub(super) code: &'static str,
    /// Word for a detail that is not known.
    pub(super) unknown: &'static str,
    /// Words of a kind of mail, and of the same without its token: commands have no secret that seals one.
    pub(super) words: fn(MailKind, bool) -> Words,
    /// Sentence about a change of factors.
    pub(super) factors: fn(FactorChange) -> &'static str,
}

/// Words of a mail.
pub(super) struct Words {
    pub(super) subject: &'static str,
    pub(super) paragraphs: &'static [&'static str],
    /// Label of the link.
    pub(super) action: &'static str,
    /// Paragraphs after the link.
    pub(super) end: &'static [&'static str],
}

/// Returns the words of a language, English if there is none.
pub(super) fn choose(language: Option<Language>) -> &'static Text {
    match language {
        None | Some(Language::English) => &en::TEXT,
        Some(Language::German) => &de::TEXT,
    }
}
