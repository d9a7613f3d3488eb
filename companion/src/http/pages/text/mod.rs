//! Texts of the pages: every language is one value of [`Text`], so that none can lack a text.

mod de;
mod en;
mod factors;
mod mail;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;

use time::format_description::StaticFormatDescription;
use time::{OffsetDateTime, UtcOffset};

use self::factors::FactorText;
pub(in crate::http) use self::mail::{Confirmation, MailText};
use crate::domain::language::Language;
use crate::domain::session::SessionSummary;
use crate::domain::time::format_seconds;

/// Texts of one language. `{min}` and `{minutes}` stand for numbers.
pub(in crate::http) struct Text {
    /// Language tag (RFC 5646).
    pub(in crate::http) lang: &'static str,
    pub(in crate::http) skip_to_content: &'static str,
    pub(in crate::http) sign_in: &'static str,
    pub(in crate::http) sign_out: &'static str,
    pub(in crate::http) sign_out_question: &'static str,
    pub(in crate::http) register: &'static str,
    pub(in crate::http) account: &'static str,
    pub(in crate::http) first_name: &'static str,
    pub(in crate::http) last_name: &'static str,
    pub(in crate::http) email: &'static str,
    pub(in crate::http) password: &'static str,
    pub(in crate::http) password_hint: &'static str,
    pub(in crate::http) password_strength: &'static str,
    pub(in crate::http) show_password: &'static str,
    pub(in crate::http) caps_lock_is_on: &'static str,
    pub(in crate::http) no_account_yet: &'static str,
    pub(in crate::http) registered_already: &'static str,
    pub(in crate::http) registered_sign_in: &'static str,
    pub(in crate::http) signed_out: &'static str,
    pub(in crate::http) signed_out_here: &'static str,
    pub(in crate::http) sign_in_again: &'static str,
    pub(in crate::http) confirm: &'static str,
    pub(in crate::http) confirm_question: &'static str,
    pub(in crate::http) confirm_hint: &'static str,
    pub(in crate::http) second_factor_demanded: &'static str,
    pub(in crate::http) names: &'static str,
    pub(in crate::http) save: &'static str,
    pub(in crate::http) name_changed: &'static str,
    pub(in crate::http) change_password: &'static str,
    pub(in crate::http) current_password: &'static str,
    pub(in crate::http) new_password: &'static str,
    pub(in crate::http) password_changed: &'static str,
    pub(in crate::http) current_password_wrong: &'static str,
    pub(in crate::http) mail: &'static MailText,
    pub(in crate::http) sessions: &'static str,
    pub(in crate::http) sessions_hint: &'static str,
    pub(in crate::http) this_session: &'static str,
    pub(in crate::http) last_used: &'static str,
    pub(in crate::http) since: &'static str,
    unknown_device: &'static str,
    /// Word between a program and its platform.
    device_on: &'static str,
    pub(in crate::http) end_session: &'static str,
    pub(in crate::http) end_other_sessions: &'static str,
    pub(in crate::http) session_ended: &'static str,
    pub(in crate::http) sessions_ended: &'static str,
    pub(in crate::http) factors: &'static FactorText,
    pub(in crate::http) users: &'static str,
    pub(in crate::http) search_users: &'static str,
    pub(in crate::http) search: &'static str,
    pub(in crate::http) role: &'static str,
    pub(in crate::http) state: &'static str,
    pub(in crate::http) disabled: &'static str,
    pub(in crate::http) may_sign_in: &'static str,
    pub(in crate::http) enable: &'static str,
    pub(in crate::http) disable: &'static str,
    pub(in crate::http) changed: &'static str,
    pub(in crate::http) nothing_found: &'static str,
    pub(in crate::http) more: &'static str,
    pub(in crate::http) sessions_of_user: &'static str,
    pub(in crate::http) end_all_sessions: &'static str,
    pub(in crate::http) audit_log: &'static str,
    pub(in crate::http) at: &'static str,
    pub(in crate::http) event: &'static str,
    pub(in crate::http) any: &'static str,
    pub(in crate::http) actor: &'static str,
    pub(in crate::http) user: &'static str,
    pub(in crate::http) network: &'static str,
    pub(in crate::http) details: &'static str,
    pub(in crate::http) from: &'static str,
    pub(in crate::http) until: &'static str,
    pub(in crate::http) front_page: &'static str,
    pub(in crate::http) some_fields_are_wrong: &'static str,
    pub(in crate::http) form_expired: &'static str,
    /// Words for the scores of zxcvbn, from 0 to 4.
    pub(in crate::http) strengths: [&'static str; 5],
    time_form: &'static StaticFormatDescription,
    /// Text for the code of an error, and of a mistake in a field; empty if there is none.
    error: fn(&str) -> &'static str,
    mistake: fn(&str) -> &'static str,
}

impl Text {
    /// Returns the text for the code of an error.
    pub(in crate::http) fn error(&self, code: &str) -> &'static str {
        Some((self.error)(code))
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| (self.error)("internal_error"))
    }

    /// Returns the text for the code of a mistake in a field.
    pub(in crate::http) fn mistake(&self, code: &str) -> &'static str {
        Some((self.mistake)(code))
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| (self.mistake)("invalid"))
    }

    /// Writes the name of a session's device.
    pub(in crate::http) fn device(&self, session: &SessionSummary) -> String {
        session
            .device_name()
            .map_or_else(|| self.unknown_device.to_owned(), |name| name.joined_by(self.device_on))
    }

    /// Writes a time for people, to the minute.
    pub(in crate::http) fn time(&self, time: &OffsetDateTime) -> String {
        time.to_offset(UtcOffset::UTC).format(self.time_form).unwrap_or_default()
    }
}

/// Writes a time for `datetime`.
pub(in crate::http) fn machine_time(time: &OffsetDateTime) -> String {
    format_seconds(*time)
}

/// Every language, the default one first.
const ALL: [(Language, &Text); 2] = [(Language::English, &en::TEXT), (Language::German, &de::TEXT)];

/// Returns the texts for a request: those of the site's language, or else of the one that the visitor prefers.
pub(in crate::http) fn choose(site: Option<Language>, headers: &HeaderMap) -> &'static Text {
    let [(_, default), ..] = ALL;
    let language = site.unwrap_or_else(|| preferred(headers));
    ALL.iter().find(|(found, _)| *found == language).map_or(default, |(_, text)| text)
}

/// Returns the language that the client of a request prefers (RFC 9110 §12.5.4), and English if that is another.
pub(in crate::http) fn preferred(headers: &HeaderMap) -> Language {
    let [(default, _), ..] = ALL;
    let mut wanted: Vec<(&str, u16)> = headers
        .get_all(ACCEPT_LANGUAGE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(range)
        .collect();
    // Stable: of two with the same weight, the first counts.
    wanted.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    let find = |tag: &str| Language::parse(&primary(tag).to_ascii_lowercase());
    wanted.iter().find_map(|(tag, _)| if *tag == "*" { Some(default) } else { find(tag) }).unwrap_or(default)
}

/// Reads a language range with its weight in thousandths (RFC 9110 §12.4.2, §12.5.4). `None` if it is not acceptable.
fn range(text: &str) -> Option<(&str, u16)> {
    let (tag, parameters) = text.split_once(';').unwrap_or((text, ""));
    let weight = match parameters.trim().strip_prefix("q=") {
        Some(weight) => weight.trim().parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight))?,
        None => 1.0,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to 1000")]
    let weight = (weight * 1000.0) as u16;
    (weight > 0).then(|| (tag.trim(), weight))
}

/// Returns the primary subtag of a language tag: `de` of `de-CH`.
fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::http::HeaderValue;

    use super::*;
    use crate::http::error::ApiError;
    use crate::http::error::every::{every_admin_mistake, every_error, every_mistake};

    #[test]
    fn language_is_the_one_that_the_visitor_prefers() {
        let check = |accepted: &[&'static str], expected: &str| {
            let headers = accepted.iter().map(|value| (ACCEPT_LANGUAGE, HeaderValue::from_static(value)));
            assert_eq!(choose(None, &headers.collect()).lang, expected, "{accepted:?}");
        };
        check(&[], "en");
        check(&["de"], "de");
        check(&["de-CH, en;q=0.8"], "de");
        check(&["fr, de;q=0.5, en;q=0.7"], "en");
        check(&["fr", "de;q=0.5"], "de");
        check(&["en;q=0, de"], "de");
        check(&["*, de;q=0.5"], "en");
        check(&["DE"], "de");
        check(&["de;q=2", "", ";;,,", "=;q=x"], "en");
        assert_eq!(choose(Some(Language::German), &HeaderMap::new()).lang, "de");
    }

    #[test]
    fn every_language_has_a_text_for_every_error() {
        let codes: BTreeSet<_> = every_error().iter().flat_map(ApiError::codes).collect();
        let mistakes = every_mistake().into_iter().chain(every_admin_mistake());
        let mistakes: BTreeSet<_> = mistakes.map(|mistake| mistake.code).collect();
        for (_, text) in ALL {
            let lacks_error = |code: &&&str| !code.is_empty() && (text.error)(code).is_empty();
            let lacks_mistake = |code: &&&str| (text.mistake)(code).is_empty();
            let errors: Vec<_> = codes.difference(&mistakes).filter(lacks_error).collect();
            let mistakes: Vec<_> = mistakes.iter().filter(lacks_mistake).collect();
            assert_eq!((errors, mistakes), (vec![], vec![]), "{}", text.lang);
        }
    }
}
