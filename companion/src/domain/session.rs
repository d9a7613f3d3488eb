//! The refresh state machine: a session, what was presented, and the time in; what happens out. No I/O here.
//!
//! A session's refresh tokens are numbered: each is a *generation*. The live one, presented, makes place for its
//! successor. The one just before gets that same successor again, whenever it comes: the answer that carried it may
//! have been lost, and as long as nobody has presented the successor there is no sign that it ever arrived. Once
//! somebody has, an older one is good only for the grace, counted from when *it* was last given its successor: for
//! another tab's request that was on its way. After that it is a copy in the wrong hands, or its owner is the one who
//! comes late: nobody can tell, so the session ends for both.

use time::{Duration, OffsetDateTime};

use super::refresh_token::RefreshClaims;
use super::revocation;
use super::role::Role;
use super::{SessionId, UserId};

/// How many generations are remembered with the time of their replacement. A browser replaces one in an hour; who
/// replaces more than this within the grace has older ones refused, though not taken for stolen, until it is over.
pub const MAX_SUPERSEDED: usize = 16;

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
    /// When it began.
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

/// What a refresh that is granted does to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The live token was presented: its successor takes its place.
    Rotate,
    /// The one just before was, after a while: the live one again, and the session was used.
    Renew,
    /// An earlier one was, just after it was replaced: the live one again, and nothing to write down.
    Repeat,
}

/// Why a refresh is refused, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshRefused {
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
    /// The token is newer than the live one: the database has lost a refresh, or was put back to an earlier state.
    /// It is nobody's fault, so the session goes on for whoever holds the live one.
    GenerationUnknown,
    /// So many generations came after this one within the grace that nobody knows when it was replaced.
    GenerationForgotten,
    /// The token was replaced, its successor was used, and the grace is over: there are two who have it. The session
    /// is to be ended.
    TokenReused,
}

impl RefreshRefused {
    /// The reason in one word, for logs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::SessionUnknown => "session_unknown",
            Self::UserMismatch => "user_mismatch",
            Self::TokenTooOld => "token_too_old",
            Self::UserDisabled => "user_disabled",
            Self::SessionExpired => "session_expired",
            Self::GenerationUnknown => "generation_unknown",
            Self::GenerationForgotten => "generation_forgotten",
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

    /// What was replaced since then is repeated without a word to the database. Half the grace: the other half is
    /// left to requests that cross with the one that is answered so.
    #[must_use]
    pub fn repeated_since(&self, now: OffsetDateTime) -> OffsetDateTime {
        now - self.grace / 2
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
    ) -> Result<Step, RefreshRefused> {
        if self.user_id != presented.user_id {
            return Err(RefreshRefused::UserMismatch);
        }
        // A token's times are whole seconds.
        if presented.issued_at < self.created_at.unix_timestamp() {
            return Err(RefreshRefused::TokenTooOld);
        }
        if self.user_disabled {
            return Err(RefreshRefused::UserDisabled);
        }
        if self.expires_at.min(self.created_at + lifetimes.absolute) <= now {
            return Err(RefreshRefused::SessionExpired);
        }
        match self.generation.saturating_sub(presented.generation) {
            ..0 => Err(RefreshRefused::GenerationUnknown),
            0 => Ok(Step::Rotate),
            1 if self.updated_at <= lifetimes.repeated_since(now) => Ok(Step::Renew),
            1 => Ok(Step::Repeat),
            age => match self.superseded_at(age) {
                Some(at) if !lifetimes.is_over(at, now) => Ok(Step::Repeat),
                None if self.has_forgotten(lifetimes, now) => Err(RefreshRefused::GenerationForgotten),
                Some(_) | None => Err(RefreshRefused::TokenReused),
            },
        }
    }

    /// The session after a step. The one statement in `db::refresh_tokens` does the same where the row is.
    #[must_use]
    pub fn after(mut self, step: Step, lifetimes: &Lifetimes, now: OffsetDateTime) -> Self {
        match step {
            Step::Repeat => return self,
            Step::Renew => match self.superseded.first_mut() {
                Some(latest) => *latest = now,
                None => self.superseded.push(now),
            },
            Step::Rotate => self.supersede(lifetimes, now),
        }
        Self { updated_at: now, expires_at: lifetimes.end(self.created_at, now), ..self }
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

    fn supersede(&mut self, lifetimes: &Lifetimes, now: OffsetDateTime) {
        // Where the latest replacement is past the grace, so are those before it, and need not be remembered.
        if self.superseded.first().is_some_and(|latest| lifetimes.is_over(*latest, now)) {
            self.superseded.clear();
        }
        self.superseded.insert(0, now);
        self.superseded.truncate(MAX_SUPERSEDED);
        self.generation += 1;
    }

    /// When the generation was replaced that is so much older than the live one, if that is remembered.
    fn superseded_at(&self, age: i64) -> Option<OffsetDateTime> {
        let index = usize::try_from(age - 1).ok()?;
        self.superseded.get(index).copied()
    }

    /// Whether a time of replacement that is not remembered may be within the grace: those past it are let go
    /// without a loss, but there is no room for all.
    fn has_forgotten(&self, lifetimes: &Lifetimes, now: OffsetDateTime) -> bool {
        let oldest = self.superseded.last().filter(|_| self.superseded.len() >= MAX_SUPERSEDED);
        oldest.is_some_and(|oldest| !lifetimes.is_over(*oldest, now))
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
