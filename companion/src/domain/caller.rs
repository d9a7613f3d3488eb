//! Caller of a use case: the actor, and the request that it came with. The HTTP layer or the command line fills it in.

use std::net::IpAddr;

use super::language::Language;
use super::network;
use super::{RequestId, UserId};

/// Actor behind a use case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// User, for themselves.
    User,
    /// Administrator with this ID, for a user.
    Admin(UserId),
    /// Operator at the command line.
    CommandLine,
    /// Background job of the service.
    System,
    /// Client that is not signed in.
    Stranger,
}

/// Caller of a use case, for the audit log and the logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Actor.
    pub actor: Actor,
    /// HTTP request; `None` for commands and background jobs.
    pub request: Option<Request>,
}

/// HTTP request that calls a use case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Request ID.
    pub id: RequestId,
    /// Address of the other end of the connection, which may be a proxy.
    pub peer: Option<IpAddr>,
    /// End of `x-forwarded-for`, with all of its field lines joined. Only the entries of trusted proxies are reliable.
    pub forwarded_for: Option<String>,
    /// Address of the client, found by the number of trusted proxies.
    pub client: Option<IpAddr>,
    /// Language that the client prefers.
    pub language: Language,
}

impl Actor {
    /// Values of `audit_log.actor`.
    pub const NAMES: [&str; 5] = ["user", "admin", "command_line", "system", "stranger"];

    /// Returns the value of `audit_log.actor`, one of [`Actor::NAMES`].
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin(_) => "admin",
            Self::CommandLine => "command_line",
            Self::System => "system",
            Self::Stranger => "stranger",
        }
    }
}

impl Caller {
    /// Caller of every command.
    pub const COMMAND_LINE: Self = Self { actor: Actor::CommandLine, request: None };
    /// Caller of every background job.
    pub const SYSTEM: Self = Self { actor: Actor::System, request: None };

    /// Makes the caller of a request whose client is not authenticated.
    #[must_use]
    pub fn stranger(request: Request) -> Self {
        Self { actor: Actor::Stranger, request: Some(request) }
    }

    /// Returns the same caller as an authenticated user.
    #[must_use]
    pub fn as_user(&self) -> Self {
        Self { actor: Actor::User, request: self.request.clone() }
    }

    /// Returns the address of the client; `None` if it is unknown.
    #[must_use]
    pub fn client(&self) -> Option<IpAddr> {
        self.request.as_ref()?.client
    }

    /// Returns the language of the user that a use case concerns; `None` if the caller is somebody else.
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        let request = self.request.as_ref()?;
        matches!(self.actor, Actor::User | Actor::Stranger).then_some(request.language)
    }

    /// Returns the same caller as an administrator.
    #[must_use]
    pub fn as_admin(&self, user_id: UserId) -> Self {
        Self { actor: Actor::Admin(user_id), request: self.request.clone() }
    }

    /// Returns the network of the client; `None` if its address is unknown.
    #[must_use]
    pub fn client_prefix(&self) -> Option<String> {
        self.client().map(network::prefix)
    }
}
