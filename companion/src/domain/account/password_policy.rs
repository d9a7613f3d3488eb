//! Rules for new passwords: their length, and the number of guesses that find them.

use std::fmt;

use thiserror::Error;
use zxcvbn::Entropy;
use zxcvbn::feedback::{Feedback, Suggestion, Warning};
use zxcvbn::matching::Match;
use zxcvbn::matching::patterns::MatchPattern;

use super::email::Email;
use super::name::Name;
use super::password::{InvalidPassword, Password};

/// Number of guesses that a password must outlast, whatever the settings are: the length of zxcvbn's list of the most
/// used passwords, a blocklist as NIST SP 800-63B-4 §3.1.1.2 requires it.
const MIN_GUESSES: u64 = 30_000;
/// Minimum length of a word that is looked for in passwords, in characters. Chosen: shorter ones are in every password.
const MIN_WORD_CHARS: usize = 3;

/// Maximum length of what is scored while it is typed, in characters.
const MAX_SCORED_CHARS: usize = 24;

/// Rules for new passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// Minimum length, in characters, from 8.
    pub min_chars: usize,
    /// Minimum score of zxcvbn, from 1 to 4: each is some hundred times as many guesses as the one before.
    pub min_score: u8,
}

/// Words that belong to a user: names, and the parts of the e-mail address.
#[derive(Clone)]
pub struct OwnWords(Vec<String>);

/// Rejection of a password that is guessed too easily. It holds advice, and nothing of the password.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum WeakPasswordRejection {
    /// The password is one of the most used.
    #[error("This is one of the most used passwords.{}", Advice(.0, false))]
    TooCommon(Option<Feedback>),
    /// The password has the user's name or e-mail address and little else.
    #[error("A password that is made of your name or e-mail address is easy to guess.{}", Advice(.0, false))]
    OwnWords(Option<Feedback>),
    /// The password is guessed too easily.
    #[error("This password is too easy to guess.{}", Advice(.0, true))]
    TooWeak(Option<Feedback>),
}

/// Sentences of zxcvbn, each after a space: its warning, if that says more than ours, and its suggestions.
struct Advice<'a>(&'a Option<Feedback>, bool);

impl PasswordPolicy {
    /// Reads a new password as typed. Its strength is another, slower check.
    ///
    /// # Errors
    /// [`InvalidPassword`] names the first fault, in the order of its variants.
    pub fn parse(&self, typed: &str) -> Result<Password, InvalidPassword> {
        let too_short = InvalidPassword::TooShort { min: self.min_chars };
        let password = Password::parse(typed).map_err(|invalid| match invalid {
            InvalidPassword::TooShort { .. } => too_short,
            other => other,
        })?;
        if password.expose().chars().count() < self.min_chars { Err(too_short) } else { Ok(password) }
    }

    /// Estimates how many guesses find a password of a user with these words.
    ///
    /// It takes some 0.1 ms, and up to 0.3 s for 72 bytes full of characters that stand for letters. The first call in a
    /// process reads the word lists, which takes some 15 ms and 8 MB for good.
    ///
    /// # Errors
    /// [`WeakPasswordRejection`] if they are too few, with advice.
    pub fn check_strength(&self, password: &Password, own: &OwnWords) -> Result<(), WeakPasswordRejection> {
        let words: Vec<&str> = own.0.iter().map(String::as_str).collect();
        let estimate = zxcvbn::zxcvbn(password.expose(), &words);
        if estimate.guesses() > MIN_GUESSES && u8::from(estimate.score()) >= self.min_score {
            return Ok(());
        }
        Err(reject(&estimate, own))
    }
}

/// Scores a password of a user with these words while it is typed, from 0 to 4. Only the start of a long one is read, which can
/// but lower the score, and takes at most some 70 ms.
#[must_use]
pub fn score(typed: &str, own: &OwnWords) -> u8 {
    let start: String = typed.chars().take(MAX_SCORED_CHARS).collect();
    let words: Vec<&str> = own.0.iter().map(String::as_str).collect();
    zxcvbn::zxcvbn(&start, &words).score().into()
}

/// Chooses the reason and the advice.
fn reject(estimate: &Entropy, own: &OwnWords) -> WeakPasswordRejection {
    let advice = estimate.feedback().cloned();
    let is_common = matches!(
        advice.as_ref().and_then(Feedback::warning),
        Some(Warning::ThisIsATop10Password | Warning::ThisIsATop100Password | Warning::ThisIsACommonPassword)
    );
    if is_common {
        WeakPasswordRejection::TooCommon(advice)
    } else if estimate.sequence().iter().any(|part| own.contain(part)) {
        WeakPasswordRejection::OwnWords(advice)
    } else {
        WeakPasswordRejection::TooWeak(advice)
    }
}

impl OwnWords {
    /// Lists the words of a user: the names, alone and joined, and the parts of the address.
    #[must_use]
    pub fn of_user(first_name: &Name, last_name: &Name, email: &Email) -> Self {
        let (first, last) = (first_name.as_str(), last_name.as_str());
        let mut words = Self::of_parts(Some(first_name), Some(last_name), Some(email));
        words.extend([format!("{first}{last}"), format!("{last}{first}")].iter().map(String::as_str));
        words
    }

    /// Lists the words of a user whose form is not complete.
    #[must_use]
    pub fn of_parts(first_name: Option<&Name>, last_name: Option<&Name>, email: Option<&Email>) -> Self {
        let mut words = email.map_or(Self(Vec::new()), Self::of_email);
        let names = first_name.into_iter().chain(last_name).map(Name::as_str);
        words.extend(names.flat_map(|name| std::iter::once(name).chain(name.split_whitespace())));
        words
    }

    /// Lists the parts of an e-mail address: the whole, both sides of the `@`, and what dots and hyphens separate.
    #[must_use]
    pub fn of_email(email: &Email) -> Self {
        let mut words = Self(Vec::new());
        let is_separator = |char: char| !char.is_alphanumeric();
        words.extend([email.as_str()]);
        words.extend(email.as_str().split('@'));
        words.extend(email.as_str().split(is_separator));
        words
    }

    /// Returns `true` if a part of a password is one of the words, however it is capitalised or spelt with digits.
    fn contain(&self, part: &Match) -> bool {
        let MatchPattern::Dictionary(found) = &part.pattern else { return false };
        self.0.iter().any(|word| word.to_lowercase() == found.matched_word)
    }

    fn extend<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        let long = words.into_iter().filter(|word| word.chars().count() >= MIN_WORD_CHARS);
        self.0.extend(long.map(str::to_owned));
    }
}

impl fmt::Display for Advice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(feedback, with_warning) = self;
        // There is none from a score of 3 on.
        let Some(feedback) = feedback else { return write!(f, " {}", Suggestion::AddAnotherWordOrTwo) };
        if let Some(warning) = feedback.warning().filter(|_| *with_warning) {
            write!(f, " {warning}")?;
        }
        feedback.suggestions().iter().try_for_each(|suggestion| write!(f, " {suggestion}"))
    }
}

#[cfg(test)]
mod tests;
