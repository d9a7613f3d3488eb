//! The decision about a refresh, and the change of the session that follows from it.

use thiserror::Error;
use time::OffsetDateTime;

use super::{Lifetimes, Session};
use crate::domain::token::refresh_token::RefreshClaims;

/// Maximum number of generations whose times of replacement are stored. Chosen: a browser replaces one an hour.
///
/// A client that replaces as many within the grace period gets the live token again until there is room. So no
/// replacement is dropped within its grace period: one that is not stored is older than that.
pub const MAX_SUPERSEDED: usize = 16;

/// Change that a granted refresh makes to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The live token was presented, or a newer one: its successor becomes the live one.
    Rotate,
    /// The token just before the live one was presented, a while after the last refresh: it gets the live one again,
    /// and the session counts as used. So does any accepted token after the clock was set back.
    Renew,
    /// A token was presented that was superseded a short time ago, or the live one while there is no room for another
    /// replacement: it gets the live one again, and nothing is written.
    Repeat,
}

/// Reason that a refresh is rejected, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RefreshRejection {
    /// There is no such session, or it has ended.
    #[error("there is no such session")]
    SessionUnknown,
    /// The session belongs to another user than the token.
    #[error("the session belongs to another user")]
    UserMismatch,
    /// The token is older than the session. It was signed for another session with the same ID, before the database was
    /// restored to an earlier state.
    #[error("the token is older than the session")]
    TokenTooOld,
    /// The user may not sign in.
    #[error("the user is disabled")]
    UserDisabled,
    /// The session was not used for too long, or has reached its maximum lifetime.
    #[error("the session has expired")]
    SessionExpired,
    /// The token was superseded, its successor was used, and the grace period is over: two parties hold it. The caller
    /// ends the session.
    #[error("a superseded token was presented after the grace period")]
    TokenReused,
}

impl RefreshRejection {
    /// Returns the reason in one word, for logs and metrics.
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

impl Session {
    /// Decides if the presented token refreshes the session, and by which step.
    ///
    /// # Errors
    /// [`RefreshRejection`] names the first check that failed. It is never `SessionUnknown`.
    pub fn decide_refresh(
        &self,
        presented: RefreshClaims,
        lifetimes: &Lifetimes,
        now: OffsetDateTime,
    ) -> Result<Step, RefreshRejection> {
        self.check_continues(presented, lifetimes, now)?;
        let repeat = if lifetimes.is_ahead(self.updated_at, now) { Step::Renew } else { Step::Repeat };
        match self.generation.saturating_sub(presented.generation) {
            // This service signed the token, so the database has lost a refresh: by a failover or a restored backup.
            ..0 => Ok(Step::Rotate),
            0 if self.has_room(lifetimes, now) => Ok(Step::Rotate),
            1 if lifetimes.renewal_is_due(self.updated_at, now) => Ok(Step::Renew),
            0 | 1 => Ok(repeat),
            age => match self.superseded_at(age) {
                Some(at) if !lifetimes.grace_is_over(at, now) => Ok(repeat),
                Some(_) | None => Err(RefreshRejection::TokenReused),
            },
        }
    }

    /// Checks that the session of the presented token goes on, whatever the generation of the token.
    ///
    /// # Errors
    /// [`RefreshRejection`] names the first check that failed. It is neither `SessionUnknown` nor `TokenReused`.
    pub fn check_continues(
        &self,
        presented: RefreshClaims,
        lifetimes: &Lifetimes,
        now: OffsetDateTime,
    ) -> Result<(), RefreshRejection> {
        if self.user_id != presented.user_id {
            return Err(RefreshRejection::UserMismatch);
        }
        // The times in a token are whole seconds.
        if presented.issued_at < self.created_at.unix_timestamp() {
            return Err(RefreshRejection::TokenTooOld);
        }
        if self.user_disabled {
            return Err(RefreshRejection::UserDisabled);
        }
        if self.expires_at <= now || self.created_at <= lifetimes.oldest_start(now) {
            return Err(RefreshRejection::SessionExpired);
        }
        Ok(())
    }

    /// Returns the session after a step that the generation `presented` led to. The statement in
    /// `db::sessions::refresh` does the same for the rotation of the live token.
    #[must_use]
    pub fn apply(mut self, step: Step, presented: i64, lifetimes: &Lifetimes, now: OffsetDateTime) -> Self {
        if step == Step::Repeat {
            return self;
        }
        // A time that is so far ahead is from before the clock was set back. It would extend the grace period by as
        // much.
        if self.superseded.first().is_some_and(|latest| *latest > now + lifetimes.grace) {
            self.superseded.iter_mut().for_each(|at| *at = now.min(*at));
        }
        // A time that is a little ahead is from another companion, or `now` was read before a wait. The list stays
        // sorted.
        let at = self.superseded.first().map_or(now, |latest| now.max(*latest));
        if step == Step::Rotate {
            self.supersede(presented, at, lifetimes, now);
        } else if let Some(latest) = self.superseded.first_mut() {
            *latest = at;
        } else {
            self.superseded.push(at);
        }
        let created_at = self.created_at.min(now);
        Self { created_at, updated_at: now, expires_at: lifetimes.expiry(created_at, now), ..self }
    }

    /// Makes the successor of the generation `presented` the live one. If the database has lost generations in between,
    /// they count as replaced at `at`: nothing else is known of them.
    fn supersede(&mut self, presented: i64, at: OffsetDateTime, lifetimes: &Lifetimes, now: OffsetDateTime) {
        // If the grace period of the latest replacement is over, so are those of the ones before it.
        if self.superseded.first().is_some_and(|latest| lifetimes.grace_is_over(*latest, now)) {
            self.superseded.clear();
        }
        let next = self.generation.max(presented) + 1;
        let replaced = usize::try_from(next - self.generation).unwrap_or(MAX_SUPERSEDED).min(MAX_SUPERSEDED);
        self.superseded.splice(0..0, [at; MAX_SUPERSEDED].into_iter().take(replaced));
        self.superseded.truncate(MAX_SUPERSEDED);
        self.generation = next;
    }

    /// Returns the time at which the generation that is `age` older than the live one got its successor. `None` if it
    /// is not stored.
    fn superseded_at(&self, age: i64) -> Option<OffsetDateTime> {
        let index = usize::try_from(age - 1).ok()?;
        self.superseded.get(index).copied()
    }

    /// Returns `true` if another replacement can be stored without dropping one within its grace period.
    pub(super) fn has_room(&self, lifetimes: &Lifetimes, now: OffsetDateTime) -> bool {
        self.superseded.get(MAX_SUPERSEDED - 1).is_none_or(|oldest| lifetimes.grace_is_over(*oldest, now))
    }
}
