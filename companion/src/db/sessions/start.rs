//! SQL that starts sessions.

use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::domain::account::role::Role;
use crate::domain::edge::revocation;
use crate::domain::session::authentication::{Authentication, Methods};
use crate::domain::session::device::Device;
use crate::domain::token::refresh_token::RefreshClaims;
use crate::domain::{FactorId, SessionId, UserId};

/// Inserts a session, with its authentication and the passkey that this was by, and returns the claims of its first refresh token and the user's role. `None` if the user is
/// disabled or deleted.
///
/// The user's row is locked until the transaction ends. A concurrent disabling of the user waits for that, and then
/// ends this session, too.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn insert(
    connection: &mut Connection,
    user_id: UserId,
    device: &Device,
    (authentication, passkey): (&Authentication, Option<FactorId>),
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Option<(RefreshClaims, Role)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"with person as (select id, role, tokens_not_before from users where id = $1 and disabled_at is null for share)
           insert into refresh_tokens (user_id, device, address_prefix, expires_at, created_at, updated_at,
                                       authenticated_at, authentication_methods, passkey_id)
           select id, $2, $3, $4, $5, $5, $6, $7, $8 from person
           returning id as "id: SessionId", generation, (select role from person) as "role!: Role",
               (select tokens_not_before from person)"#,
        user_id as UserId,
        device.name,
        device.address_prefix,
        expires_at,
        now,
        authentication.time,
        &authentication.methods as &Methods,
        passkey as Option<FactorId>,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| {
        let issued_at = revocation::issued_at(now, row.tokens_not_before);
        let claims = RefreshClaims { user_id, session_id: row.id, generation: row.generation, issued_at };
        (claims, row.role)
    }))
}
