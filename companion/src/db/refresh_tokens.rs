//! SQL over `refresh_tokens`, one row a session. Whether a refresh is granted is decided in `domain::session`.

use sqlx::PgConnection;
use sqlx::postgres::types::PgInterval;
use time::OffsetDateTime;

use super::users::read_role;
use crate::domain::UserId;
use crate::domain::access_token::Bearer;
use crate::domain::device::Device;
use crate::domain::refresh_token::RefreshClaims;
use crate::domain::revocation;
use crate::domain::role::Role;
use crate::domain::session::{Lifetimes, MAX_SUPERSEDED, Session, Step};

/// The most rows that are deleted at once: few enough that nobody waits for it.
const BATCH: i64 = 1000;

/// Starts a session: gives what its first refresh token says, and the user's role now. `None`: the user may not
/// sign in, or is gone. The user's row is held until the transaction ends, so nobody is disabled or promoted
/// between the look and the insert; whoever disables waits, and then finds this session to end.
pub async fn insert(
    connection: &mut PgConnection,
    user_id: UserId,
    device: &Device,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Option<(RefreshClaims, Role)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"with person as (select id, role, tokens_not_before from users where id = $1 and disabled_at is null for share)
           insert into refresh_tokens (user_id, device, address_prefix, expires_at, created_at, updated_at)
           select id, $2, $3, $4, $5, $5 from person
           returning id, generation, (select role from person) as "role!",
               (select tokens_not_before from person)"#,
        user_id,
        device.name,
        device.address_prefix,
        expires_at,
        now,
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let issued_at = revocation::issued_at(now, row.tokens_not_before);
        let said = RefreshClaims { user_id, session_id: row.id, generation: row.generation, issued_at };
        Ok((said, read_role(&row.role)?))
    })
    .transpose()
}

/// A session as a refresh found it, and what was done to it.
pub struct Found {
    /// As it stood before.
    pub session: Session,
    /// What was written; a repetition is nothing to write.
    pub written: Option<Step>,
}

/// Has a session go on, if it may, and gives what it was before. `domain::session` decides the same of that, and the
/// two are compared: `judged` and `written` are its `judge` and `after` for the cases in which something is written,
/// so that the refresh is one statement, which happens or does not.
///
/// The rows are held until it ends, the user's before the session's: of refreshes at the same time one is decided at
/// a time, and each after whoever is just changing the user. The user's is not shared among them: they would pass by
/// whoever waits to change it, for as long as there are enough of them.
pub async fn go_on(
    connection: &mut PgConnection,
    presented: RefreshClaims,
    lifetimes: &Lifetimes,
    now: OffsetDateTime,
) -> Result<Option<Found>, sqlx::Error> {
    let absolute = PgInterval::try_from(lifetimes.absolute).map_err(sqlx::Error::Encode)?;
    // The locks are taken in the order they are named, which is that of `edgeward user disable`: no deadlock.
    let row = sqlx::query!(
        r#"with session as (
               select refresh_tokens.id, user_id, generation, superseded, refresh_tokens.created_at,
                      refresh_tokens.updated_at, expires_at, role, tokens_not_before,
                      disabled_at is not null as user_disabled
               from refresh_tokens join users on users.id = user_id
               where refresh_tokens.id = $1
               for no key update of users for update of refresh_tokens),
           judged as (
               select id, generation, created_at,
                      case
                          when generation < $4 then 'rotate'
                          when generation = $4 and (superseded[$12] > $6) is not true then 'rotate'
                          when generation - 1 = $4 and updated_at <= $7 then 'renew'
                          when updated_at > $8
                              and (generation - 1 <= $4 or superseded[least(generation - $4, $12 + 1)::int] > $6)
                              then 'renew'
                      end as step,
                      case
                          when superseded[1] > $9 then array(
                              select least(at, $5) from unnest(superseded) with ordinality as every (at, place)
                              order by place)
                          else superseded
                      end as superseded
               from session
               where user_id = $2
                   and floor(extract(epoch from created_at)) <= $3::bigint
                   and not user_disabled
                   and expires_at > $5 and created_at > $13),
           written as (
               update refresh_tokens
               set generation = case step
                       when 'rotate' then greatest(judged.generation, $4) + 1
                       else judged.generation end,
                   superseded = (array_fill(greatest($5, judged.superseded[1]),
                                            array[least(greatest($4 - judged.generation, 0), $12 - 1)::int + 1])
                       || case
                           when step = 'renew' then judged.superseded[2:]
                           when judged.superseded[1] > $6 then judged.superseded
                           else '{}' end)[:$12],
                   created_at = least(judged.created_at, $5),
                   updated_at = $5,
                   expires_at = least($10, least(judged.created_at, $5) + $11)
               from judged
               where refresh_tokens.id = judged.id and step is not null
               returning step)
           select user_id, generation, superseded, created_at, updated_at, expires_at, role, tokens_not_before,
                  user_disabled as "user_disabled!", (select step from written) as step
           from session"#,
        presented.session_id,
        presented.user_id,
        presented.issued_at,
        presented.generation,
        now,
        now - lifetimes.grace,
        lifetimes.repeated_since(now),
        lifetimes.repeated_until(now),
        now + lifetimes.grace,
        now + lifetimes.idle,
        absolute,
        i32::try_from(MAX_SUPERSEDED).unwrap_or(i32::MAX),
        lifetimes.too_old(now),
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let session = Session {
            user_id: row.user_id,
            generation: row.generation,
            superseded: row.superseded,
            created_at: row.created_at,
            updated_at: row.updated_at,
            expires_at: row.expires_at,
            user_disabled: row.user_disabled,
            role: read_role(&row.role)?,
            tokens_not_before: row.tokens_not_before,
        };
        let written = row.step.map(|step| if step == "rotate" { Step::Rotate } else { Step::Renew });
        Ok(Found { session, written })
    })
    .transpose()
}

/// Ends the session that a token speaks of, here and at the edge, where its tokens are refused `until`. Says whether
/// there was one. A session younger than the token is another one of the same number.
pub async fn end(
    connection: &mut PgConnection,
    bearer: Bearer,
    until: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "with ended as (
             delete from refresh_tokens
             where id = $1 and user_id = $2 and floor(extract(epoch from created_at)) <= $3::bigint
             returning id)
         insert into revocations (session_id, expires_at) select id, $4 from ended",
        bearer.session_id,
        bearer.user_id,
        bearer.issued_at,
        until,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends all of a user's sessions, in the order in which a logout ends several. Gives their number.
pub async fn delete_all(connection: &mut PgConnection, user_id: UserId) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from refresh_tokens where id = any(array(
                 select id from refresh_tokens where user_id = $1 order by id for update))",
        user_id
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes some sessions that have expired. Says whether there may be more.
pub async fn delete_expired(connection: &mut PgConnection, now: OffsetDateTime) -> Result<bool, sqlx::Error> {
    // A row that somebody holds is left for later. The array is made first, and once.
    let done = sqlx::query!(
        "delete from refresh_tokens where id = any(array(
             select id from refresh_tokens where expires_at <= $1 order by expires_at limit $2
             for update skip locked))",
        now,
        BATCH,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == BATCH.unsigned_abs())
}
