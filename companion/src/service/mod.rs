//! Use cases, one verb a file. A transaction begins and ends here and nowhere else, and the audit event of a change
//! is written in the transaction of the change.
//!
//! Handlers, commands, pages and jobs do three things: extract, call a use case, render.

pub mod account;
pub mod audit_log;
mod change;
mod detached;
pub mod edge;
pub mod factor;
pub mod guard;
pub mod keys;
pub mod mail;
pub mod maintenance;
pub mod session;
mod tokens;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use thiserror::Error;
use time::{Duration, OffsetDateTime};
use tracing::Span;

use self::change::Change;
use self::detached::detached;
use self::mail::Mailing;
use crate::clock::Clock;
use crate::db::fault;
use crate::db::pooled_connection::PooledConnection;
use crate::domain::account::password_policy::WeakPasswordRejection;
use crate::domain::audit::{Entry, Event};
use crate::domain::caller::Caller;
use crate::domain::guard::Limit;
use crate::domain::token::jws::SigningError;
use crate::domain::token::one_time::RandomnessError;
use crate::domain::{SessionId, UserId};
use crate::hashing::HashingError;
use crate::telemetry::audit;
use crate::telemetry::metrics::Metrics;

pub use self::tokens::{IssuedTokens, Tokens};
pub use crate::db::pool::Pool;

/// Caller of a use case, and what every use case acts on.
#[derive(Clone)]
pub struct Context {
    /// Connections to Postgres.
    pub db: Pool,
    /// Source of the time.
    pub clock: Arc<dyn Clock>,
    /// Counters of the process.
    pub metrics: Arc<Metrics>,
    /// Lifetime of an access token: the service's own, or the maximum at the command line, which does not know the
    /// services' settings.
    pub access_ttl: Duration,
    /// Writing of mails.
    pub mail: Arc<Mailing>,
    /// Caller of the use case.
    pub caller: Caller,
    /// Span of the caller's request, which its log lines have; of none if there is no request.
    pub request_span: Span,
}

/// Failure of a use case.
#[derive(Error)]
pub enum Error {
    /// The e-mail address or the password is wrong.
    #[error("e-mail address or password is wrong")]
    WrongCredentials,
    /// There were too many attempts: by this client, by its neighbours, or to sign in to the account.
    #[error("too many attempts: the limit is {limit}")]
    TooManyAttempts {
        /// Limit that was reached.
        limit: Limit,
        /// Time until another attempt may succeed.
        retry_after: Duration,
    },
    /// No valid token was presented, or its session has ended.
    #[error("not signed in")]
    NotSignedIn,
    /// The user may not sign in.
    #[error("the account is disabled")]
    Disabled,
    /// The password was changed while it was being compared.
    #[error("the password was changed during the login")]
    PasswordChanged,
    /// The new password is guessed too easily.
    #[error(transparent)]
    PasswordWeak(#[from] WeakPasswordRejection),
    /// The e-mail address belongs to another user.
    #[error("the e-mail address belongs to another user")]
    EmailTaken,
    /// There is no such user.
    #[error("there is no such user")]
    UserUnknown,
    /// No administrator would be left who may sign in.
    #[error("this is the last administrator")]
    LastAdmin,
    /// The code of a factor is wrong, or was used.
    #[error("the code of the second factor is wrong")]
    WrongFactor,
    /// No such login waits for a factor, or not any more.
    #[error("no such login waits for a second factor")]
    PendingLoginUnknown,
    /// There is no such challenge of the caller's, or not any more.
    #[error("there is no such challenge")]
    ChallengeUnknown,
    /// The site has no passkeys: `PASSKEY_RP_ID` is not set.
    #[error("there are no passkeys here")]
    PasskeysOff,
    /// A user had this passkey, and nobody has it any more. That of another deployment with the same domain is
    /// [`Error::PasskeyWrong`]: browsers forget one that is unknown.
    #[error("the passkey is unknown")]
    PasskeyUnknown,
    /// The response of a passkey is not valid, or the passkey is that of somebody else.
    #[error("the response of the passkey is not valid")]
    PasskeyWrong,
    /// There is no such factor of the user's.
    #[error("there is no such factor")]
    FactorUnknown,
    /// The user has as many factors as a user may have.
    #[error("the user has too many factors")]
    TooManyFactors,
    /// Too few ways to sign in would be left.
    #[error("too few ways to sign in would be left")]
    TooFewWays,
    /// The session changed too often while it was being refreshed.
    #[error("the session changed too often during a refresh")]
    Contended,
    /// There is no such session of the user's.
    #[error("there is no such session")]
    SessionUnknown,
    /// The link or the code of a mail was used, has expired, or never was; or what it was to change has changed.
    #[error("the link or the code is not valid any more")]
    LinkInvalid,
    /// Mails of this kind are not sent.
    #[error("mails of this kind are not sent")]
    MailOff,
    /// The read of the edge feed that a poll waited for has failed.
    #[error("the edge feed could not be read")]
    FeedUnread,
    /// A password was neither hashed nor compared.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// A token was not signed.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The system has no random bytes.
    #[error("cannot read random bytes from the system")]
    NoRandomness,
    /// A secret of a factor was not sealed or opened.
    #[error(
        "a secret of a second factor cannot be opened: it was sealed by another key than KEY_ENCRYPTION_KEY and \
         REFRESH_JWT_SECRET, or its row was changed"
    )]
    Sealing,
    /// The database is unreachable or overloaded: the same call may succeed later.
    #[error(transparent)]
    Unavailable(sqlx::Error),
    /// The database failed. Only the message is shown: the detail can hold the row.
    #[error(transparent)]
    Database(sqlx::Error),
    /// A task of the use case panicked.
    #[error("a task panicked")]
    Panicked,
}

impl Error {
    /// Returns `true` if the service has failed: the use case was neither done nor rejected.
    fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::Hashing(_)
                | Self::Signing(_)
                | Self::NoRandomness
                | Self::Sealing
                | Self::Unavailable(_)
                | Self::Database(_)
                | Self::Panicked
        )
    }
}

/// As `Display`: the `Debug` of a database error can show the row.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<RandomnessError> for Error {
    fn from(RandomnessError: RandomnessError) -> Self {
        Self::NoRandomness
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if fault::is_unavailable(&error) { Self::Unavailable(error) } else { Self::Database(error) }
    }
}

impl Context {
    /// Returns the current time.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Returns the same context for an authenticated user.
    #[must_use]
    pub fn as_user(&self) -> Self {
        Self { caller: self.caller.as_user(), ..self.clone() }
    }

    /// Takes a connection from the pool, and counts the wait for it.
    async fn connection(&self) -> Result<PooledConnection, sqlx::Error> {
        let started = Instant::now();
        let acquired = PooledConnection::acquire(&self.db).await;
        self.metrics.observe_acquire(started.elapsed(), acquired.is_ok());
        acquired
    }

    /// Begins a change.
    async fn begin(&self) -> Result<Change<'_>, sqlx::Error> {
        let mut connection = self.connection().await?;
        connection.begin().await?;
        Ok(Change::new(self, connection))
    }

    /// Reports an event that changes nothing, so that it has no row: clients must not be able to fill the table.
    fn report(&self, event: &Event, user_id: Option<UserId>, session_id: Option<SessionId>) {
        let entry = Entry::new(self.now(), &self.caller, event, user_id, session_id);
        audit::report(&self.metrics, &entry, &self.caller);
    }
}
