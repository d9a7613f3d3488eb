//! The message of a mail, as plain text and as HTML.

use askama::Template;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use time::OffsetDateTime;

use super::text::{self, Text};
use super::{MailSite, SendError};
use crate::domain::mail::{Details, Mail, MailKind, Secrets};
use crate::domain::time::format_minutes;
use crate::domain::token::one_time::Purpose;

/// Content of a mail.
#[derive(Template)]
#[template(path = "mail.html")]
struct HtmlMail<'a> {
    mail: &'a Content,
}

/// Content of a mail in plain text.
#[derive(Template)]
#[template(path = "mail.txt", escape = "none")]
struct PlainMail<'a> {
    mail: &'a Content,
}

struct Content {
    lang: &'static str,
    site: String,
    subject: String,
    paragraphs: Vec<String>,
    link: Option<Link>,
    code: Option<Code>,
    end: Vec<String>,
}

struct Link {
    label: &'static str,
    address: String,
}

struct Code {
    label: &'static str,
    digits: String,
}

/// Writes the message of a mail.
///
/// # Errors
/// [`SendError::Permanent`] if the recipient is no address, or the content is no message.
pub(super) fn write(site: &MailSite, sender: &Mailbox, mail: &Mail) -> Result<Message, SendError> {
    let content = content(site, mail);
    let permanent = |error: &dyn std::error::Error| SendError::Permanent(error.to_string());
    let to: Address = mail.to.as_str().parse().map_err(|error| permanent(&error))?;
    let html = HtmlMail { mail: &content }.render().map_err(|error| permanent(&error))?;
    let plain = PlainMail { mail: &content }.render().map_err(|error| permanent(&error))?;
    // With the time: numbers begin anew in a database that was lost.
    let (created_at, domain) = (mail.created_at.unix_timestamp(), sender.email.domain());
    Message::builder()
        .from(sender.clone())
        .to(Mailbox::new(None, to))
        .subject(content.subject.clone())
        .message_id(Some(format!("<{}.{created_at}.edgeward@{domain}>", mail.id)))
        .date_now()
        // RFC 3834 §5: no vacation notice replies to it.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .multipart(MultiPart::alternative_plain_html(plain, html))
        .map_err(|error| permanent(&error))
}

fn content(site: &MailSite, mail: &Mail) -> Content {
    let text = text::choose(site.language.or(mail.language));
    let words = (text.words)(mail.kind, mail.secrets.is_some());
    let fill = |template: &&str| fill(template, text, site, &mail.details);
    Content {
        lang: text.lang,
        site: site.name.clone(),
        subject: fill(&words.subject),
        paragraphs: words.paragraphs.iter().map(fill).collect(),
        link: link(site, mail.kind, mail.secrets.as_ref())
            .map(|address| Link { label: words.action, address }),
        code: mail
            .secrets
            .as_ref()
            .and_then(|secrets| secrets.code.as_deref())
            .map(|code| Code { label: text.code, digits: in_groups(code) }),
        end: words.end.iter().map(fill).collect(),
    }
}

/// Puts the details into a text.
fn fill(template: &str, text: &Text, site: &MailSite, details: &Details) -> String {
    let at = OffsetDateTime::from_unix_timestamp(details.at).map(format_minutes).unwrap_or_default();
    let or_unknown = |detail: &Option<String>| detail.clone().unwrap_or_else(|| text.unknown.to_owned());
    let factors = details.factors.map(text.factors).unwrap_or_default();
    template
        // First: it has others in it.
        .replace("{factors}", factors)
        .replace("{site}", &site.name)
        .replace("{at}", &at)
        .replace("{device}", &or_unknown(&details.device))
        .replace("{network}", &or_unknown(&details.network))
        .replace("{email}", &or_unknown(&details.new_email))
}

/// Returns the address that a mail links to.
fn link(site: &MailSite, kind: MailKind, secrets: Option<&Secrets>) -> Option<String> {
    let pages = &site.pages;
    let (Some(purpose), Some(Secrets { token, .. })) = (kind.purpose(), secrets) else {
        // Of no use at an address that an account has left.
        let is_of_use = site.has_password_reset && kind != MailKind::EmailChanged;
        return is_of_use.then(|| format!("{pages}/forgot-password"));
    };
    Some(match purpose {
        Purpose::ResetPassword => format!("{pages}/reset-password?token={token}"),
        purpose => format!("{pages}/mail/{}?token={token}", purpose.as_str()),
    })
}

/// Writes the digits of a code in two groups, which are easier to read.
fn in_groups(code: &str) -> String {
    let (first, second) = code.split_at_checked(code.len() / 2).unwrap_or((code, ""));
    format!("{first} {second}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::account::email::Email;
    use crate::domain::language::Language;
    use crate::domain::mail::FactorChange;

    fn mail(kind: MailKind, language: Language) -> Mail {
        let code = kind.purpose().filter(|purpose| purpose.has_code()).map(|_| "12345678".to_owned());
        Mail {
            id: 7,
            kind,
            to: Email::parse("ada@example.com").unwrap(),
            language: Some(language),
            details: Details {
                at: 1_893_456_000,
                device: Some("<b>Firefox</b>".to_owned()),
                network: None,
                new_email: Some("new@example.com".to_owned()),
                factors: Some(FactorChange::Reset),
            },
            secrets: kind.purpose().map(|_| Secrets { token: "TOKEN".to_owned(), code }),
            created_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    fn site() -> MailSite {
        MailSite {
            name: "A & B".to_owned(),
            pages: "https://app.example/auth".to_owned(),
            language: None,
            has_password_reset: true,
        }
    }

    #[test]
    fn every_mail_has_its_link_and_its_code_in_both_forms_and_languages() {
        for kind in MailKind::ALL {
            for language in [Language::English, Language::German] {
                let content = content(&site(), &mail(kind, language));
                let plain = PlainMail { mail: &content }.render().unwrap();
                let html = HtmlMail { mail: &content }.render().unwrap();
                let address = content.link.as_ref().unwrap().address.as_str();
                assert!(address.starts_with("https://app.example/auth/"), "{address}");
                assert!(plain.contains(address) && html.contains(address), "{plain}");
                assert_eq!(kind.purpose().is_some(), address.ends_with("?token=TOKEN"), "{address}");
                let has_code = kind.purpose().is_some_and(Purpose::has_code);
                assert_eq!(has_code, plain.contains("1234 5678") && html.contains("1234 5678"), "{plain}");
                assert!(!plain.contains('{') && !html.contains('{'), "{plain}");
                assert!(!content.subject.is_empty() && content.subject.contains("A & B"), "{kind:?}");
                assert!(html.contains(&format!("lang=\"{}\"", language.tag())));
            }
        }
    }

    #[test]
    fn notice_of_a_command_has_no_token_and_asks_for_a_new_password() {
        for language in [Language::English, Language::German] {
            let mail = Mail { secrets: None, ..mail(MailKind::FactorsChanged, language) };
            let content = content(&site(), &mail);
            assert_eq!(content.link.unwrap().address, "https://app.example/auth/forgot-password");
            assert!(content.end.iter().all(|text| !text.contains("72")), "{:?}", content.end);
        }
    }

    #[test]
    fn address_that_an_account_has_left_may_get_no_link() {
        for language in [Language::English, Language::German] {
            let mail = Mail { secrets: None, ..mail(MailKind::EmailChanged, language) };
            let content = content(&site(), &mail);
            assert!(content.link.is_none() && content.paragraphs[0].contains("new@example.com"));
            let html = HtmlMail { mail: &content }.render().unwrap();
            assert!(!html.contains("href") && html.contains("A &#38; B"), "{html}");
        }
    }

    #[test]
    fn every_change_of_factors_is_a_sentence_of_its_own() {
        for language in [Language::English, Language::German] {
            let sentences = FactorChange::ALL.map(|change| {
                let mut mail = mail(MailKind::FactorsChanged, language);
                mail.details.factors = Some(change);
                content(&site(), &mail).paragraphs.remove(0)
            });
            let distinct: BTreeSet<_> = sentences.iter().collect();
            assert_eq!(distinct.len(), FactorChange::ALL.len());
            assert!(
                sentences.iter().all(|text| text.contains("A & B") && text.contains("2030")),
                "{distinct:?}"
            );
        }
    }

    #[test]
    fn what_a_client_chose_is_no_html() {
        let content = content(&site(), &mail(MailKind::NewSignIn, Language::English));
        assert!(PlainMail { mail: &content }.render().unwrap().contains("<b>Firefox</b>"));
        assert!(!HtmlMail { mail: &content }.render().unwrap().contains("<b>"));
    }

    #[test]
    fn message_is_the_same_mail_at_each_attempt() {
        let sender: Mailbox = "Example <no-reply@example.com>".parse().unwrap();
        let message = write(&site(), &sender, &mail(MailKind::ResetPassword, Language::English)).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        assert!(text.contains("Message-ID: <7.0.edgeward@example.com>\r\n"), "{text}");
        assert!(text.contains("Auto-Submitted: auto-generated\r\n"), "{text}");
        assert!(text.contains("multipart/alternative"), "{text}");
        let stored = Mail {
            to: Email::stored("no address".to_owned()),
            ..mail(MailKind::NewSignIn, Language::German)
        };
        assert!(matches!(write(&site(), &sender, &stored), Err(SendError::Permanent(_))));
    }
}
