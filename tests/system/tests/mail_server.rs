//! Mails by way of a real mail server, aiosmtpd, into a mailbox: over TLS, and on loopback without it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use edgeward_companion::clock::{Clock as _, SystemClock};
use edgeward_kit::api::{Api, PUBLIC_URL};
use edgeward_kit::journey::load::until;
use edgeward_stack::process::Process;
use edgeward_stack::{paths, ports, wheels};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

const HOST: &str = "127.0.0.1";

/// Mail server with a mailbox.
struct MailServer {
    port: u16,
    folder: TempDir,
    process: Process,
}

impl MailServer {
    /// Starts a server, with this certificate and key if it has TLS.
    async fn start(tls: Option<(&str, &str)>) -> Self {
        let requirements = paths::root().join("tests/system/mail/requirements.txt");
        let mut command =
            wheels::python_program(&paths::tools(), "aiosmtpd", &requirements).expect("Python 3, with pip");
        let [port] = ports::free().expect("a port");
        let folder = tempfile::tempdir().expect("a folder");
        command.args(["--nosetuid", "--listen", &format!("{HOST}:{port}")]);
        if let Some((certificate, key)) = tls {
            command.arg("--smtpscert").arg(write(folder.path(), "certificate.pem", certificate));
            command.arg("--smtpskey").arg(write(folder.path(), "key.pem", key));
        }
        let mailbox = folder.path().join("mailbox");
        command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(mailbox).stdin(Stdio::null());
        let process = Process::spawn("aiosmtpd", &mut command, &folder.path().join("log")).expect("a server");
        until("the mail server listens", async || ports::is_open(port)).await;
        Self { port, folder, process }
    }

    /// Returns the mails that it has taken.
    fn mails(&self) -> Vec<String> {
        let files = fs::read_dir(self.folder.path().join("mailbox/new")).expect("a mailbox").flatten();
        files.map(|file| fs::read_to_string(file.path()).expect("a text")).collect()
    }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("a file");
    path
}

/// Authority that signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), "authority.pem", &certificate.pem());
        Self { issuer: Issuer::new(params, key), folder }
    }

    /// Returns the path of its own certificate.
    fn path(&self) -> String {
        self.folder.path().join("authority.pem").to_str().expect("UTF-8").to_owned()
    }

    /// Returns a certificate for a name that ends at a time, and its key.
    fn sign(&self, name: &str, ends_at: OffsetDateTime) -> (String, String) {
        let mut params = CertificateParams::new([name.to_owned()]).expect("parameters");
        (params.not_before, params.not_after) = (ends_at - Duration::days(2), ends_at);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }
}

/// Starts an API that sends its mails to a server, has it try to send one, and returns it.
async fn api_of(server: &MailServer, settings: &[(&str, &str)]) -> Api {
    let url = format!("smtps://{HOST}:{}", server.port);
    let own = [("SMTP_URL", url.as_str()), ("PUBLIC_URL", PUBLIC_URL), ("MAIL_FROM", "no-reply@example.com")];
    let all: Vec<_> = own.iter().chain(settings).copied().collect();
    let api = Api::start_with(&all).await;
    api.registered("ada@example.com").await;
    api.deliver().await;
    api
}

#[tokio::test]
async fn mail_arrives_through_a_real_mail_server() {
    let server = MailServer::start(None).await;
    let url = format!("smtp://{HOST}:{}", server.port);
    let sender = "Läden & Co. <no-reply@example.com>";
    let settings =
        [("SMTP_URL", url.as_str()), ("SMTP_TLS", "off"), ("MAIL_FROM", sender), ("PAGES_LANGUAGE", "de")];
    let api = api_of(&server, &settings).await;
    assert_eq!(api.outbox().await, (0, 0), "{}", server.process.log());
    let mails = server.mails();
    for line in [
        "To: ada@example.com",
        "X-RcptTo: ada@example.com",
        "Auto-Submitted: auto-generated",
        "Content-Type: multipart/alternative;",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: text/html; charset=utf-8",
    ] {
        assert!(mails[0].lines().any(|found| found.starts_with(line)), "{line}\n{}", mails[0]);
    }
    assert_eq!(mails.len(), 1);
}

#[tokio::test]
async fn mail_arrives_over_tls_from_a_server_whose_authority_is_trusted() {
    let authority = Authority::new("the authority");
    let (certificate, key) = authority.sign(HOST, SystemClock.now() + Duration::DAY);
    let server = MailServer::start(Some((&certificate, &key))).await;
    let api = api_of(&server, &[("SMTP_CA_PATH", &authority.path())]).await;
    assert_eq!((api.outbox().await, server.mails().len()), ((0, 0), 1), "{}", server.process.log());
}

#[tokio::test]
async fn server_that_is_not_the_named_one_gets_nothing_and_the_mail_stays() {
    let (authority, other) = (Authority::new("the authority"), Authority::new("another"));
    let path = authority.path();
    let trusted = [("SMTP_CA_PATH", path.as_str())];
    let (soon, past) = (SystemClock.now() + Duration::DAY, SystemClock.now() - Duration::DAY);
    for (certificate, settings, fault) in [
        (Some(other.sign(HOST, soon)), &trusted[..], "UnknownIssuer"),
        (Some(authority.sign(HOST, soon)), &[], "UnknownIssuer"),
        (Some(authority.sign("mail.example.com", soon)), &trusted, "not valid for name"),
        (Some(authority.sign(HOST, past)), &trusted, "expired"),
        (None, &trusted, "the server speaks no TLS from the first byte"),
    ] {
        let tls = certificate.as_ref().map(|(certificate, key)| (certificate.as_str(), key.as_str()));
        let server = MailServer::start(tls).await;
        let api = api_of(&server, settings).await;
        assert_eq!((api.outbox().await, server.mails().len()), ((1, 0), 0), "{fault}");
        let reason: String =
            sqlx::query_scalar("select last_error from outbox").fetch_one(&api.pool).await.expect("a reason");
        assert!(reason.contains(fault), "{fault}: {reason}");
    }
}
