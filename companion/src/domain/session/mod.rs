//! The refresh state machine: a session, what was presented, and the time in; what happens out. No I/O here.
//!
//! A session's refresh tokens are numbered: each is a *generation*. The live one, presented, makes place for its
//! successor. The one just before gets that same successor again, whenever it comes: the answer that carried it may
//! have been lost, and as long as nobody has presented the successor there is no sign that it ever arrived. Once
//! somebody has, an older one is good only for the grace, counted from when *it* was last given its successor: for
//! another tab's request that was on its way. After that it is a copy in the wrong hands, or its owner is the one who
//! comes late: nobody can tell, so the session ends for both.
//!
//! The time is that of whichever companion is asked. Their clocks may differ by a second or so, a time may have been
//! read before a wait, and a clock may be set back: none of it ends a session.

pub mod device;

use edgeward_wire::clock::DEFAULT_SKEW_S;
use time::{Duration, OffsetDateTime};

use super::account::role::Role;
use super::edge::revocation;
use super::token::access_token::TokenSubject;
use super::token::refresh_token::RefreshClaims;
use super::{SessionId, UserId};

/// How many generations are remembered with the time of their replacement. A browser replaces one in an hour; who
/// has replaced as many within the grace is given the live one again until there is room, so none is ever forgotten
/// within its grace: whatever is not remembered was replaced before that.
pub const MAX_SUPERSEDED: usize = 16;

/// Maximum by which a repeated token may be dated ahead of now: the default of the filter's `clock_skew_seconds`.
const MAX_AHEAD: Duration = Duration::seconds(DEFAULT_SKEW_S as i64);

/// How long sessions live, and how long a token that was replaced is still good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// How long a session lives without a refresh.
    pub idle: Duration,
    /// How long it lives at most: it bounds what a thief has who keeps step with the owner and is never found out.
    pub absolute: Duration,
    /// How long a token that was replaced is taken for a request that crossed with its successor.
    pub grace: Duration,
}

/// A session as it stands, with what matters of its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub user_id: UserId,
    /// The generation of the one refresh token that is live.
    pub generation: i64,
    /// When the generations before it were given their successors: the latest first, at most [`MAX_SUPERSEDED`].
    pub superseded: Vec<OffsetDateTime>,
    /// When it began, or earlier if a clock that is behind had it go on: no token of it is dated earlier.
    pub created_at: OffsetDateTime,
    /// When it last went on.
    pub updated_at: OffsetDateTime,
    /// Dead at and after this moment.
    pub expires_at: OffsetDateTime,
    /// Whether its user may not sign in.
    pub user_disabled: bool,
    /// Its user's role now.
    pub role: Role,
    /// From when on its user's tokens count.
    pub tokens_not_before: Option<OffsetDateTime>,
}

/// Session as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSummary {
    /// Identifier.
    pub id: SessionId,
    /// Name that the client gave itself at the start.
    pub device: Option<String>,
    /// Network that the session was started from.
    pub address_prefix: Option<String>,
    /// Time of the start.
    pub created_at: OffsetDateTime,
    /// Time of the last refresh.
    pub updated_at: OffsetDateTime,
}

/// Sessions of a user that are to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The user.
    pub user_id: UserId,
    /// The one session that ends; `None` for all.
    pub only: Option<SessionId>,
    /// The session that stays.
    pub except: Option<SessionId>,
    /// Seconds since 1970 at which the session had begun: a later one is another session with the same number.
    pub begun_by: Option<i64>,
}

/// What a refresh that is granted does to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The live token was presented, or one that is newer still: its successor takes its place.
    Rotate,
    /// The one just before was, after a while: the live one again, and the session was used.
    Renew,
    /// One was that has just been replaced: the live one again, and nothing to write down.
    Repeat,
}

/// Why a refresh is refused, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshRejection {
    /// No such session, or it was ended.
    SessionUnknown,
    /// The session belongs to another user than the token says.
    UserMismatch,
    /// The token is older than the session: it names one of an earlier database, where the numbers were others'.
    TokenTooOld,
    /// The user may not sign in.
    UserDisabled,
    /// The session was left alone for too long, or has reached its greatest age.
    SessionExpired,
    /// The token was replaced, its successor was used, and the grace is over: there are two who have it. The session
    /// is to be ended.
    TokenReused,
}

impl Ending {
    /// `true` if no session of the user stays.
    #[must_use]
    pub fn is_of_all(&self) -> bool {
        self.only.is_none() && self.except.is_none()
    }

    /// All sessions of a user.
    #[must_use]
    pub fn all(user_id: UserId) -> Self {
        Self { user_id, only: None, except: None, begun_by: None }
    }

    /// All sessions of a user but one.
    #[must_use]
    pub fn others(user_id: UserId, except: SessionId) -> Self {
        Self { except: Some(except), ..Self::all(user_id) }
    }

    /// One session of a user, by its number.
    #[must_use]
    pub fn one(user_id: UserId, session_id: SessionId) -> Self {
        Self { only: Some(session_id), ..Self::all(user_id) }
    }

    /// The session that a token speaks of.
    #[must_use]
    pub fn of_token(subject: TokenSubject) -> Self {
        Self { begun_by: Some(subject.issued_at), ..Self::one(subject.user_id, subject.session_id) }
    }
}

impl RefreshRejection {
    /// The reason in one word, for logs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::SessionUnknown => "session_unknown",
            Self::UserMismatch => "user_mismatch",
            Self::TokenTooOld => "token_too_old",
            Self::UserDisabled => "user_disabled",
            Self::SessionExpired => "session_expired",
            Self::TokenReused => "token_reused",
        }
    }
}

impl Lifetimes {
    /// When a session ends that began then and is used now, if it is not used again.
    #[must_use]
    pub fn end(&self, created_at: OffsetDateTime, now: OffsetDateTime) -> OffsetDateTime {
        (now + self.idle).min(created_at + self.absolute)
    }

    /// A session that began by then has reached its greatest age.
    #[must_use]
    pub fn oldest_start(&self, now: OffsetDateTime) -> OffsetDateTime {
        now - self.absolute
    }

    /// What was replaced since then is repeated, and its row stays as it is. Half the grace: the other half is left to
    /// requests that cross with the one that is answered so.
    #[must_use]
    pub fn repeated_since(&self, now: OffsetDateTime) -> OffsetDateTime {
        now - self.grace / 2
    }

    /// What was replaced after that is not repeated: the clock was set back, and the edge would refuse tokens that
    /// are dated so far ahead.
    #[must_use]
    pub fn repeated_until(&self, now: OffsetDateTime) -> OffsetDateTime {
        now + MAX_AHEAD.min(self.grace / 2)
    }

    /// Whether what happened then is longer ago than the grace.
    fn is_over(&self, since: OffsetDateTime, now: OffsetDateTime) -> bool {
        since <= now - self.grace
    }
}

impl Session {
    /// Decides a refresh.
    pub fn judge(
        &self,
        presented: RefreshClaims,
        lifetimes: &Lifetimes,
        now: OffsetDateTime,
    ) -> Result<Step, RefreshRejection> {
        if self.user_id != presented.user_id {
            return Err(RefreshRejection::UserMismatch);
        }
        // A token's times are whole seconds.
        if presented.issued_at < self.created_at.unix_timestamp() {
            return Err(RefreshRejection::TokenTooOld);
        }
        if self.user_disabled {
            return Err(RefreshRejection::UserDisabled);
        }
        if self.expires_at <= now || self.created_at <= lifetimes.oldest_start(now) {
            return Err(RefreshRejection::SessionExpired);
        }
        let again = if self.updated_at > lifetimes.repeated_until(now) { Step::Renew } else { Step::Repeat };
        match self.generation.saturating_sub(presented.generation) {
            // We have signed it, so the database has lost a refresh: it failed over, or was put back to an earlier state.
            ..0 => Ok(Step::Rotate),
            0 if self.has_room(lifetimes, now) => Ok(Step::Rotate),
            1 if self.updated_at <= lifetimes.repeated_since(now) => Ok(Step::Renew),
            0 | 1 => Ok(again),
            age => match self.superseded_at(age) {
                Some(at) if !lifetimes.is_over(at, now) => Ok(again),
                Some(_) | None => Err(RefreshRejection::TokenReused),
            },
        }
    }

    /// The session after a step that this generation brought about. The one statement in `db::refresh_tokens` does the
    /// same where the row is.
    #[must_use]
    pub fn after(mut self, step: Step, presented: i64, lifetimes: &Lifetimes, now: OffsetDateTime) -> Self {
        if step == Step::Repeat {
            return self;
        }
        // A time that is so far ahead is from before the clock was set back. Without that it would be good for as long.
        if self.superseded.first().is_some_and(|latest| *latest > now + lifetimes.grace) {
            self.superseded.iter_mut().for_each(|at| *at = now.min(*at));
        }
        // Otherwise it is another companion's, or ours was read before a wait: the list stays in order.
        let at = self.superseded.first().map_or(now, |latest| now.max(*latest));
        if step == Step::Rotate {
            self.supersede(presented, at, lifetimes, now);
        } else if let Some(latest) = self.superseded.first_mut() {
            *latest = at;
        } else {
            self.superseded.push(at);
        }
        let created_at = self.created_at.min(now);
        Self { created_at, updated_at: now, expires_at: lifetimes.end(created_at, now), ..self }
    }

    /// What the live refresh token says, and the access token beside it. All answers that repeat it are the same to
    /// the byte: they are dated to when the session last went on.
    #[must_use]
    pub fn live_token(&self, session_id: SessionId) -> RefreshClaims {
        RefreshClaims {
            user_id: self.user_id,
            session_id,
            generation: self.generation,
            issued_at: revocation::issued_at(self.updated_at, self.tokens_not_before),
        }
    }

    /// The generation presented makes place for its successor. Of those between it and the live one, if the database
    /// has lost them, nothing is known but that they were replaced by now.
    fn supersede(&mut self, presented: i64, at: OffsetDateTime, lifetimes: &Lifetimes, now: OffsetDateTime) {
        // Where the latest replacement is past the grace, so are those before it, and need not be remembered.
        if self.superseded.first().is_some_and(|latest| lifetimes.is_over(*latest, now)) {
            self.superseded.clear();
        }
        let next = self.generation.max(presented) + 1;
        let replaced = usize::try_from(next - self.generation).unwrap_or(MAX_SUPERSEDED).min(MAX_SUPERSEDED);
        self.superseded.splice(0..0, [at; MAX_SUPERSEDED].into_iter().take(replaced));
        self.superseded.truncate(MAX_SUPERSEDED);
        self.generation = next;
    }

    /// When the generation was replaced that is so much older than the live one, if that is remembered.
    fn superseded_at(&self, age: i64) -> Option<OffsetDateTime> {
        let index = usize::try_from(age - 1).ok()?;
        self.superseded.get(index).copied()
    }

    /// Whether another replacement can be remembered without one being forgotten that is within the grace.
    fn has_room(&self, lifetimes: &Lifetimes, now: OffsetDateTime) -> bool {
        self.superseded.get(MAX_SUPERSEDED - 1).is_none_or(|oldest| lifetimes.is_over(*oldest, now))
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
