//! Caller of a use case: who acts, and by which request. Filled in by the door that the call comes through.

use std::net::IpAddr;

use super::RequestId;
use super::session::device;

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user, for themselves.
    User,
    /// An administrator, for somebody else.
    Admin,
    /// An operator at the command line.
    CommandLine,
    /// The service by itself.
    System,
    /// Somebody who is not signed in.
    Stranger,
}

/// Who calls a use case, for the audit log and the logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who acts.
    pub actor: Actor,
    /// The HTTP request; `None` for commands and background jobs.
    pub request: Option<Request>,
}

/// HTTP request that a use case is called by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Identifier of the request.
    pub id: RequestId,
    /// Other end of the connection: a proxy's address, where there is one.
    pub peer: Option<IpAddr>,
    /// End of `x-forwarded-for`, all of its fields joined. Only what trusted proxies wrote is to be believed.
    pub forwarded_for: Option<String>,
    /// Address of the client, by the number of trusted proxies.
    pub client: Option<IpAddr>,
}

impl Actor {
    /// The word in `audit_log.actor`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
            Self::CommandLine => "command_line",
            Self::System => "system",
            Self::Stranger => "stranger",
        }
    }
}

impl Caller {
    /// Caller of what an operator does at the command line.
    pub const COMMAND_LINE: Self = Self { actor: Actor::CommandLine, request: None };
    /// Caller of what the service does by itself.
    pub const SYSTEM: Self = Self { actor: Actor::System, request: None };

    /// Caller of a request that proves nothing about who sends it.
    #[must_use]
    pub fn stranger(request: Request) -> Self {
        Self { actor: Actor::Stranger, request: Some(request) }
    }

    /// The same request, by a user who has proved who they are.
    #[must_use]
    pub fn as_user(&self) -> Self {
        Self { actor: Actor::User, request: self.request.clone() }
    }

    /// Network of the client: enough for its owner to recognise, too little to find a person by.
    #[must_use]
    pub fn client_prefix(&self) -> Option<String> {
        self.request.as_ref()?.client.map(device::network)
    }
}
