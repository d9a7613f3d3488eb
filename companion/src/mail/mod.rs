//! Mails: their words, and the way to the mail server.

mod message;
mod text;

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::ExposeSecret as _;
use thiserror::Error;

use crate::config::{Config, MailDelivery};
use crate::domain::language::Language;
use crate::domain::mail::Mail;

/// Maximum time of one command to the mail server. Chosen: less than half of what a mail is left alone for
/// ([`LEASE`](crate::domain::mail::LEASE)).
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time of one mail: less than it is left alone for.
const SEND_TIMEOUT: Duration = Duration::from_secs(45);

/// Permanent replies that concern the way to the server, and not the mail.
const OF_THE_RELAY: [u16; 5] = [530, 534, 535, 538, 554];

/// Sender of mails.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Mailbox,
    site: MailSite,
}

/// Site that mails are of.
struct MailSite {
    /// Name.
    name: String,
    /// Address of the pages: origin and path, without a slash at its end.
    pages: String,
    /// Language of all mails; `None` is that of each recipient.
    language: Option<Language>,
    /// `true` if a page resets forgotten passwords.
    has_password_reset: bool,
}

/// Failure to make a sender.
#[derive(Debug, Error)]
pub enum MailerError {
    /// The TLS library does not take the name of the server.
    #[error("cannot use TLS with the mail server of SMTP_URL: {0}")]
    Tls(smtp::Error),
    /// The mail library does not take the sender.
    #[error("cannot send mail as MAIL_FROM: {0}")]
    Sender(lettre::address::AddressError),
}

/// Failure to send a mail.
#[derive(Debug, Error)]
pub enum SendError {
    /// The server rejects the mail for good, or it cannot be written.
    #[error("{0}")]
    Permanent(String),
    /// Another attempt may succeed.
    #[error("{0}")]
    Transient(String),
}

impl Mailer {
    /// Makes a sender. It connects with each mail. `None` if the settings have no mail server.
    ///
    /// # Errors
    /// [`MailerError`] if the libraries do not take a setting.
    pub fn new(config: &Config) -> Result<Option<Self>, MailerError> {
        let Some(delivery) = &config.mail.delivery else { return Ok(None) };
        let MailDelivery { server, credentials, sender, public_url } = delivery;
        let site = MailSite {
            name: config.site.name.clone(),
            pages: format!("{}{}", public_url.as_str(), config.pages.path),
            language: config.pages.language,
            has_password_reset: config.mail.kinds.password_reset,
        };
        let parameters = || TlsParameters::new(server.host.clone()).map_err(MailerError::Tls);
        let tls = if server.has_tls { Tls::Wrapper(parameters()?) } else { Tls::None };
        let address: Address = sender.address.as_str().parse().map_err(MailerError::Sender)?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host.as_str())
            .port(server.port)
            .tls(tls)
            .timeout(Some(COMMAND_TIMEOUT))
            // The name of a container says nothing to a mail server.
            .hello_name(ClientId::Domain(address.domain().to_owned()));
        if let Some((username, password)) = credentials {
            let password = password.expose_secret().to_owned();
            builder = builder.credentials(Credentials::new(username.clone(), password));
        }
        let sender = Mailbox::new(sender.name.clone(), address);
        Ok(Some(Self { transport: builder.build(), sender, site }))
    }

    /// Sends a mail. Each attempt of it has the same `Message-ID`.
    ///
    /// # Errors
    /// [`SendError`], which never holds the link or the code.
    pub async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let message = message::write(&self.site, &self.sender, mail)?;
        match tokio::time::timeout(SEND_TIMEOUT, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if is_rejection(&error) => Err(SendError::Permanent(describe(&error))),
            Ok(Err(error)) => Err(SendError::Transient(describe(&error))),
            Err(_) => Err(SendError::Transient("the mail server took longer than 45 s".to_owned())),
        }
    }
}

/// Returns `true` if the server rejects this mail or its recipient for good. A server that demands or rejects authentication
/// (RFC 4954 §6), or TLS (RFC 3207 §4), rejects the companion, until somebody mends a setting; 554 is also a greeting that serves
/// nobody (RFC 5321 §3.1), which cannot be told from a rejected mail.
fn is_rejection(error: &smtp::Error) -> bool {
    error.is_permanent() && error.status().is_some_and(|code| !OF_THE_RELAY.contains(&u16::from(code)))
}

/// Describes an error with its causes.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
