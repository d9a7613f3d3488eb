//! Mails: their words, and the way to the mail server.

mod message;
mod text;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use lettre::message::Mailbox;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
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
    /// The file of `SMTP_CA_PATH` cannot be read.
    #[error("cannot read the certificates of SMTP_CA_PATH, {0}: {1}")]
    Authorities(PathBuf, io::Error),
    /// The file of `SMTP_CA_PATH` has no certificate.
    #[error("the file of SMTP_CA_PATH, {0}, has no certificate: it begins with -----BEGIN CERTIFICATE-----")]
    NoAuthority(PathBuf),
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
    /// No server was reached, or not the one of the settings. Another attempt may succeed.
    #[error("{0}")]
    Unreachable(String),
}

impl Mailer {
    /// Makes a sender. It connects with each mail. `None` if the settings have no mail server.
    ///
    /// # Errors
    /// [`MailerError`] if the libraries do not take a setting.
    pub fn new(config: &Config) -> Result<Option<Self>, MailerError> {
        let Some(delivery) = &config.mail.delivery else { return Ok(None) };
        let MailDelivery { server, authorities, credentials, sender, public_url } = delivery;
        let site = MailSite {
            name: config.site.name.clone(),
            pages: format!("{}{}", public_url.as_str(), config.pages.path),
            language: config.pages.language,
            has_password_reset: config.mail.kinds.password_reset,
        };
        let tls = if server.has_tls {
            Tls::Wrapper(tls_parameters(&server.host, authorities.as_deref())?)
        } else {
            Tls::None
        };
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
            Ok(Err(error)) if error.status().is_some() => Err(SendError::Transient(describe(&error))),
            Ok(Err(error)) => Err(SendError::Unreachable(describe(&error))),
            Err(_) => Err(SendError::Unreachable("the mail server took longer than 45 s".to_owned())),
        }
    }
}

/// Returns `true` if the server rejects this mail or its recipient for good. A server that demands or rejects authentication
/// (RFC 4954 §6), or TLS (RFC 3207 §4), rejects the companion, until somebody mends a setting; 554 is also a greeting that serves
/// nobody (RFC 5321 §3.1), which cannot be told from a rejected mail.
fn is_rejection(error: &smtp::Error) -> bool {
    error.is_permanent() && error.status().is_some_and(|code| !OF_THE_RELAY.contains(&u16::from(code)))
}

/// Makes the parameters of TLS with a server, which the public authorities or those of a file have certified.
fn tls_parameters(host: &str, authorities: Option<&Path>) -> Result<TlsParameters, MailerError> {
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(path) = authorities {
        let pem = fs::read(path).map_err(|error| MailerError::Authorities(path.to_owned(), error))?;
        if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
            return Err(MailerError::NoAuthority(path.to_owned()));
        }
        let certificate = Certificate::from_pem(&pem).map_err(MailerError::Tls)?;
        parameters = parameters.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    parameters.build().map_err(MailerError::Tls)
}

/// Describes an error with its causes.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // The mail library repeats some of its causes.
        if !text.contains(&error.to_string()) {
            text = format!("{text}: {error}");
        }
        cause = error.source();
    }
    // What rustls says of a greeting in the place of a handshake.
    if text.contains("InvalidContentType") {
        text = format!("the server speaks no TLS from the first byte: {text}");
    }
    text
}
