//! SQL over `outbox`: mails that have not been sent. A row is inserted in the transaction of what it tells.

use time::{Duration, OffsetDateTime};

use crate::db::connection::Connection;
use crate::domain::UserId;
use crate::domain::account::email::Email;
use crate::domain::language::Language;
use crate::domain::mail::{LEASE, MailKind};

/// Time for which a mail that was given up can be seen. Chosen: an operator was away for two weeks.
const KEPT: Duration = Duration::days(30);
/// Maximum length of the reason of a failure, in characters.
const MAX_ERROR_CHARS: usize = 500;

/// Mail to store.
pub struct NewMail<'a> {
    /// Kind.
    pub kind: MailKind,
    /// Its recipient; `None` for an address that nobody has.
    pub user_id: Option<UserId>,
    /// Address.
    pub to: &'a Email,
    /// Language of the recipient, if it is known.
    pub language: Option<Language>,
    /// Content: a JSON object.
    pub details: &'a str,
    /// Link and code, sealed.
    pub sealed: Option<&'a [u8]>,
}

/// Mail that one service tries to send.
pub struct ClaimedMail {
    /// Number.
    pub id: i64,
    /// Kind.
    pub kind: String,
    /// Its recipient; `None` for an address that nobody has.
    pub user_id: Option<UserId>,
    /// Address.
    pub recipient: Email,
    /// Language of the recipient, if it is known.
    pub language: Option<String>,
    /// Content: a JSON object.
    pub details: String,
    /// Link and code, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Time of what it tells.
    pub created_at: OffsetDateTime,
    /// Time from which on it is of no use.
    pub expires_at: OffsetDateTime,
    /// Number of attempts, with this one.
    pub attempts: i32,
    /// `true` if the attempt before this one has left no result: the mail may have been sent.
    pub is_repeated: bool,
}

/// Mail that was given up.
pub struct GivenUpMail {
    /// Number.
    pub id: i64,
    /// Kind.
    pub kind: String,
    /// Address.
    pub recipient: Email,
    /// Number of attempts.
    pub attempts: i32,
    /// Reason of the last failure.
    pub last_error: Option<String>,
    /// Time at which it was given up.
    pub given_up_at: OffsetDateTime,
}

/// Mails that have not been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Number of mails that wait.
    pub waiting: i64,
    /// Time of the oldest of them.
    pub oldest: Option<OffsetDateTime>,
    /// Number of mails that were given up.
    pub given_up: i64,
}

/// Stores a mail, to be sent once the transaction is committed.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn insert(
    connection: &mut Connection,
    mail: &NewMail<'_>,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into outbox
             (kind, user_id, recipient, language, details, sealed, created_at, expires_at, next_attempt_at)
         values ($1, $2, $3, $4, $5::text::jsonb, $6, $7, $8, $7)",
        mail.kind.as_str(),
        mail.user_id as Option<UserId>,
        mail.to.as_str(),
        mail.language.map(Language::tag),
        mail.details,
        mail.sealed,
        now,
        now + mail.kind.lifetime(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes the mail that has waited longest, and leaves it alone for a minute: no other service takes it meanwhile. If this
/// one ends first, another attempt follows.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn claim(
    connection: &mut Connection,
    now: OffsetDateTime,
) -> Result<Option<ClaimedMail>, sqlx::Error> {
    let known: Vec<String> = MailKind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect();
    sqlx::query_as!(
        ClaimedMail,
        r#"update outbox set attempts = attempts + 1, next_attempt_at = $2, last_error = null
           from (select id as next, attempts > 0 and last_error is null as is_repeated from outbox
                 where next_attempt_at <= $1 and given_up_at is null and kind = any($3)
                 order by next_attempt_at, id limit 1 for update skip locked) as chosen
           where id = next
           returning id, kind, user_id as "user_id: UserId", recipient as "recipient: Email", language,
               details::text as "details!", sealed, created_at, expires_at, attempts,
               is_repeated as "is_repeated!""#,
        now,
        now + LEASE,
        &known,
    )
    .fetch_optional(connection)
    .await
}

/// Deletes a mail that was sent, or that nobody is to get.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete(connection: &mut Connection, id: i64) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from outbox where id = $1", id).execute(connection).await?;
    Ok(())
}

/// Deletes the mails to a user who is deleted.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_of_user(connection: &mut Connection, user_id: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from outbox where user_id = $1", user_id as UserId).execute(connection).await?;
    Ok(())
}

/// Records the failure of an attempt. Another one follows at `next`; without it the mail is given up, and its link and code
/// are forgotten if they are of no use any more.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn record_failure(
    connection: &mut Connection,
    id: i64,
    next: Option<OffsetDateTime>,
    error: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let error: String = error.chars().take(MAX_ERROR_CHARS).collect();
    sqlx::query!(
        "update outbox set next_attempt_at = coalesce($2, next_attempt_at), last_error = $3,
             given_up_at = case when $2::timestamptz is null then $4::timestamptz end,
             sealed = case when $2::timestamptz is not null or expires_at > $4 then sealed end
         where id = $1",
        id,
        next,
        error,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts the mails that have not been sent.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn count(connection: &mut Connection) -> Result<Waiting, sqlx::Error> {
    sqlx::query_as!(
        Waiting,
        r#"select count(*) filter (where given_up_at is null) as "waiting!",
                  min(created_at) filter (where given_up_at is null) as oldest,
                  count(given_up_at) as "given_up!"
           from outbox"#,
    )
    .fetch_one(connection)
    .await
}

/// Lists the mails that were given up, the newest first, at most `limit`.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn list_given_up(connection: &mut Connection, limit: i64) -> Result<Vec<GivenUpMail>, sqlx::Error> {
    sqlx::query_as!(
        GivenUpMail,
        r#"select id, kind, recipient as "recipient: Email", attempts, last_error, given_up_at as "given_up_at!"
           from outbox where given_up_at is not null order by given_up_at desc limit $1"#,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Lets mails that were given up be tried again, all of them without an `id`, unless they are of no use any more. Returns
/// their number.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn retry(
    connection: &mut Connection,
    id: Option<i64>,
    now: OffsetDateTime,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "update outbox set given_up_at = null, next_attempt_at = $2
         where given_up_at is not null and expires_at > $2 and ($1::bigint is null or id = $1)",
        id,
        now,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes the mails that were given up a month ago.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn delete_old(connection: &mut Connection, now: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from outbox where given_up_at <= $1", now - KEPT).execute(connection).await?;
    Ok(())
}
