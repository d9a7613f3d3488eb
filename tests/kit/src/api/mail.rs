//! Mails of an API in this process, which a test delivers itself, to an inbox of its own.

use edgeward_companion::mail::Mailer;
use edgeward_companion::service::mail::{self, Delivery};
use edgeward_stack::inbox::{Inbox, Mail};
use serde_json::{Value, json};

use super::Api;
use crate::client::{Client, PASSWORD, Response};

/// Origin of the links.
pub const PUBLIC_URL: &str = "https://app.example";

/// Reset that was requested, with the mail.
pub struct Reset {
    /// ID of the request, beside which the code counts.
    pub request_id: String,
    /// Mail.
    pub mail: Mail,
}

impl Api {
    /// Starts an API that sends mail, with these additional settings.
    pub async fn start_with_mail(settings: &[(&str, &str)]) -> (Self, Inbox) {
        let inbox = Inbox::start(0).expect("free ports");
        let own = inbox.settings(PUBLIC_URL);
        let own = own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<_> = own.chain(settings.iter().copied()).collect();
        (Self::start_with(&all).await, inbox)
    }

    /// Sends every mail that is due, as the job does.
    pub async fn deliver(&self) {
        while self.deliver_one().await == Delivery::Done {}
    }

    /// Sends one mail that is due, if there is one.
    pub async fn deliver_one(&self) -> Delivery {
        let mailer = Mailer::new(&self.config).expect("a mailer").expect("a mail server");
        mail::deliver(&self.system(), &mailer).await.expect("a database")
    }

    /// Requests a reset of the password, and delivers the mail.
    pub async fn reset_requested(&self, inbox: &Inbox, email: &str) -> Reset {
        let response = request_reset(&mut self.client(), email).await;
        assert_eq!(response.status, 202, "{response}");
        let mail = self.last_mail(inbox, email).await;
        let request_id = response.body["requestId"].as_str().expect("an ID").to_owned();
        Reset { request_id, mail }
    }

    /// Delivers the mails, and returns the last one to an address.
    pub async fn last_mail(&self, inbox: &Inbox, to: &str) -> Mail {
        self.deliver().await;
        inbox.mails().into_iter().rfind(|mail| mail.to == to).expect("a mail")
    }

    /// Uses the link of a mail.
    pub async fn confirm_mail(&self, purpose: &str, mail: &Mail) -> Response {
        let body = json!({"purpose": purpose, "token": mail.token().expect("a link")});
        self.client().post_json("/api/auth/mail/confirm", &body).await
    }

    /// Returns the numbers of mails that wait, and that were given up.
    pub async fn outbox(&self) -> (i64, i64) {
        let waiting = self.count("select count(*) from outbox where given_up_at is null").await;
        (waiting, self.count("select count(given_up_at) from outbox").await)
    }
}

/// Requests a reset of a password.
pub async fn request_reset(client: &mut Client, email: &str) -> Response {
    client.post_json("/api/auth/password-reset", &json!({"email": email})).await
}

impl Client {
    /// Asks for another address of the signed-in user.
    pub async fn request_email_change(&mut self, email: &str) -> Response {
        self.post_json("/api/auth/email", &json!({"email": email, "password": PASSWORD})).await
    }
}

impl Reset {
    /// Returns the proof by the link, with a new password.
    #[must_use]
    pub fn by_link(&self, password: &str) -> Value {
        json!({"token": self.mail.token().expect("a link"), "password": password})
    }

    /// Returns the proof by the code, with a new password.
    #[must_use]
    pub fn by_code(&self, password: &str) -> Value {
        json!({"requestId": self.request_id, "code": self.mail.code().expect("a code"), "password": password})
    }
}
