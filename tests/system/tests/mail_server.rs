//! Mails by way of a real mail server, aiosmtpd, into a mailbox.

use std::fs;
use std::process::Stdio;

use edgeward_kit::api::{Api, PUBLIC_URL};
use edgeward_kit::journey::load::until;
use edgeward_stack::process::Process;
use edgeward_stack::{paths, ports, wheels};

#[tokio::test]
async fn mail_arrives_through_a_real_mail_server() {
    let requirements = paths::root().join("tests/system/mail/requirements.txt");
    let mut command =
        wheels::python_program(&paths::tools(), "aiosmtpd", &requirements).expect("Python 3, with pip");
    let [port] = ports::free().expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let mailbox = folder.path().join("mailbox");
    command.args(["--nosetuid", "--listen", &format!("127.0.0.1:{port}")]);
    command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(&mailbox).stdin(Stdio::null());
    let server = Process::spawn("aiosmtpd", &mut command, &folder.path().join("log")).expect("a server");
    until("the mail server listens", async || ports::is_open(port)).await;

    let url = format!("smtp://127.0.0.1:{port}");
    let api = Api::start_with(&[
        ("SMTP_URL", &url),
        ("SMTP_TLS", "off"),
        ("MAIL_FROM", "Läden & Co. <no-reply@example.com>"),
        ("PUBLIC_URL", PUBLIC_URL),
        ("PAGES_LANGUAGE", "de"),
    ])
    .await;
    api.registered("ada@example.com").await;
    api.deliver().await;
    assert_eq!(api.outbox().await, (0, 0), "{}", server.log());
    let files: Vec<_> = fs::read_dir(mailbox.join("new")).expect("a mailbox").flatten().collect();
    let mail = fs::read_to_string(files.first().expect("a mail").path()).expect("a text");
    for line in [
        "To: ada@example.com",
        "X-RcptTo: ada@example.com",
        "Auto-Submitted: auto-generated",
        "Content-Type: multipart/alternative;",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: text/html; charset=utf-8",
    ] {
        assert!(mail.lines().any(|found| found.starts_with(line)), "{line}\n{mail}");
    }
    assert_eq!(files.len(), 1);
}
