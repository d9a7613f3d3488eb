//! Mail server that keeps what it gets, for the local stack and for tests. It takes every mail, but for faults that a test
//! orders, and shows its inbox as a page.

mod page;
mod smtp;

use std::collections::VecDeque;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use mail_parser::MessageParser;

/// Maximum number of mails that are kept; the oldest go first.
const CAPACITY: usize = 1000;
/// Maximum time that a client may be silent.
const SILENCE: Duration = Duration::from_mins(1);

/// Running mail server. Its threads end with the process.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// Port for mails, without TLS.
    pub smtp: u16,
    /// Port of its page.
    pub page: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    mails: VecDeque<Mail>,
    faults: VecDeque<Fault>,
    hung: usize,
}

/// Mail that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Recipient.
    pub to: String,
    /// `Message-ID`, the same for every attempt.
    pub id: String,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
}

/// Fault of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is closed at a step.
    Close(Step),
    /// It stays silent from a step on, until the client is gone.
    Hang(Step),
    /// Its recipients are rejected for good.
    RejectRecipient,
    /// Nobody is served, by a permanent reply.
    Refuse(&'static str),
    /// Its recipients are rejected for now.
    Busy,
}

/// Step of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Before the greeting.
    Greeting,
    /// Before the content is taken.
    Content,
    /// After the content was taken, before that is said.
    Reply,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 3] = [Self::Greeting, Self::Content, Self::Reply];
}

impl Inbox {
    /// Starts a server on a free port, with its page on the port `page`, or another one if that is not free.
    ///
    /// # Errors
    /// If no port is free.
    pub fn start(page: u16) -> Result<Self> {
        let bind = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let free = || bind(0).context("no free port on 127.0.0.1 for the inbox");
        let (smtp, web) = (free()?, bind(page).or_else(|_| free())?);
        let inbox =
            Self { smtp: smtp.local_addr()?.port(), page: web.local_addr()?.port(), state: Arc::default() };
        serve(smtp, inbox.clone(), smtp::serve);
        serve(web, inbox.clone(), page::serve);
        Ok(inbox)
    }

    /// Returns the settings with which a companion sends its mails here, with links to an origin.
    #[must_use]
    pub fn settings(&self, public_url: &str) -> [(String, String); 4] {
        let setting = |name: &str, value: String| (name.to_owned(), value);
        [
            setting("SMTP_URL", format!("smtp://127.0.0.1:{}", self.smtp)),
            setting("SMTP_TLS", "off".to_owned()),
            setting("MAIL_FROM", "Edgeward <no-reply@example.com>".to_owned()),
            setting("PUBLIC_URL", public_url.to_owned()),
        ]
    }

    /// Returns the mails, the oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.state().mails.iter().cloned().collect()
    }

    /// Has the next connection fail, or the one after those that are to fail already.
    pub fn fail(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// Returns the number of connections that hang, or did until their clients were gone.
    #[must_use]
    pub fn hung(&self) -> usize {
        self.state().hung
    }

    fn next_fault(&self) -> Option<Fault> {
        self.state().faults.pop_front()
    }

    fn take(&self, to: String, content: &[u8]) {
        let Some(message) = MessageParser::default().parse(content) else { return };
        let mail = Mail {
            to,
            id: message.message_id().unwrap_or_default().to_owned(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).unwrap_or_default().replace("\r\n", "\n"),
            html: message.body_html(0).unwrap_or_default().into_owned(),
        };
        let mails = &mut self.state().mails;
        mails.push_back(mail);
        if mails.len() > CAPACITY {
            mails.pop_front();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic of another thread leaves whole mails.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mail {
    /// Returns the link.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        self.text.lines().find(|line| line.starts_with("http"))
    }

    /// Returns the token of the link.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.link()?.split_once("token=").map(|(_, token)| token)
    }

    /// Returns the code, eight digits in two groups.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        let is_code =
            |line: &&str| line.len() == 9 && line.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ');
        self.text.lines().find(is_code)
    }
}

/// Serves each connection on a thread of its own.
fn serve(listener: TcpListener, inbox: Inbox, serve: fn(&Inbox, TcpStream) -> std::io::Result<()>) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let inbox = inbox.clone();
            thread::spawn(move || {
                // A client that goes away is no error.
                let _gone = stream.set_read_timeout(Some(SILENCE)).and_then(|()| serve(&inbox, stream));
            });
        }
    });
}
