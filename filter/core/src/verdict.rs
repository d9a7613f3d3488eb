//! Verdict on a request: what happens to it, and all that follows from that.

use std::convert::Infallible;
use std::sync::Arc;

use crate::claims::Identity;
use crate::rejection::Rejection;
use crate::reply::LocalReply;

/// Verdict on a request. `H` has the parts of a held request; it is [`Infallible`] if the request cannot be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<H = Hold> {
    /// The request continues to the upstream.
    Pass(Pass),
    /// The filter responds.
    Reply(Box<LocalReply>),
    /// The request is held until the companion has responded; then [`resume`](crate::gate::Gate::resume) decides.
    Hold(H),
}

impl<H> From<LocalReply> for Verdict<H> {
    fn from(reply: LocalReply) -> Self {
        Self::Reply(Box::new(reply))
    }
}

impl<H> Verdict<H> {
    /// Separates verdicts that stand from requests to hold.
    ///
    /// # Errors
    /// The parts of a request that is to be held.
    #[inline]
    pub fn settled(self) -> Result<Verdict<Infallible>, H> {
        match self {
            Self::Pass(pass) => Ok(Verdict::Pass(pass)),
            Self::Reply(reply) => Ok(Verdict::Reply(reply)),
            Self::Hold(hold) => Err(hold),
        }
    }
}

impl Verdict {
    /// Returns the reason that the request does not pass as it is. The readiness of the filter is none.
    #[must_use]
    pub const fn rejection(&self) -> Option<Rejection> {
        match self {
            Self::Pass(_) => None,
            Self::Reply(reply) => reply.rejection,
            Self::Hold(hold) => Some(hold.rejection),
        }
    }
}

impl Verdict<Infallible> {
    /// Returns the same verdict where a request can be held.
    #[inline]
    #[must_use]
    pub fn widen<H>(self) -> Verdict<H> {
        match self {
            Self::Pass(pass) => Verdict::Pass(pass),
            Self::Reply(reply) => Verdict::Reply(reply),
        }
    }
}

/// A request that continues to the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// User and session of the access token, if there is a valid one.
    pub identity: Option<Identity>,
    /// Our cookies in the request that the upstream receives.
    pub our_cookies: OurCookies,
    /// `true` if a stream that lasts is closed at the end of its session.
    pub ends_with_session: bool,
}

impl Pass {
    /// A request without an identity.
    #[must_use]
    pub const fn anonymous(our_cookies: OurCookies) -> Self {
        Self { identity: None, our_cookies, ends_with_session: false }
    }
}

/// Our cookies in the request that the upstream receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OurCookies {
    /// They are removed.
    Removed,
    /// They stay as the client sent them.
    Kept,
    /// They are replaced by those of a refresh.
    Renewed(Arc<Renewed>),
}

/// Tokens that the companion made in exchange for a refresh token. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct Renewed {
    /// Access token.
    pub access_token: String,
    /// Values of `Set-Cookie` for the client.
    pub set_cookies: Vec<String>,
}

impl std::fmt::Debug for Renewed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Renewed")
    }
}

/// A request that a new access token could let pass. `Debug` does not show the refresh token.
#[derive(Clone, PartialEq, Eq)]
pub struct Hold {
    /// Refresh token.
    pub refresh_token: Vec<u8>,
    /// Reason for which the request cannot pass as it is.
    pub rejection: Rejection,
    /// `true` if the edge feed may have news that let the request pass.
    pub poll_early: bool,
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Hold").field("rejection", &self.rejection).finish_non_exhaustive()
    }
}

/// Result of asking the companion for a new access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The session continues.
    Renewed(Arc<Renewed>),
    /// The session is over.
    SessionOver,
    /// Unknown: the companion did not respond in time, or too many requests are held.
    Unavailable,
}
