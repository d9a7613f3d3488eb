//! SQL over `users`. What an e-mail, a role or a password hash may be is decided before it gets here.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::UserId;
use crate::domain::access_token::Bearer;
use crate::domain::email::Email;
use crate::domain::name::Name;
use crate::domain::password::PasswordHash;
use crate::domain::role::Role;

/// A user, without the password.
#[derive(Clone, Debug)]
pub struct User {
    /// The user's number.
    pub id: UserId,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// E-mail address.
    pub email: String,
    /// Role.
    pub role: String,
    /// Since when the user may not sign in.
    pub disabled_at: Option<OffsetDateTime>,
    /// When the account was made.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

/// What a login needs to know.
pub struct Credentials {
    /// The user's number.
    pub id: UserId,
    /// The hash that the password is compared with.
    pub password: PasswordHash,
    /// Whether the user may not sign in.
    pub disabled: bool,
}

/// A user to be.
pub struct NewUser<'a> {
    /// First name.
    pub first_name: &'a Name,
    /// Last name.
    pub last_name: &'a Name,
    /// E-mail address.
    pub email: &'a Email,
    /// The hashed password.
    pub password: &'a PasswordHash,
}

/// Why a user was not made.
#[derive(Debug)]
pub enum InsertRefused {
    /// The e-mail is another user's, in whatever case.
    EmailTaken,
    /// Anything else.
    Database(sqlx::Error),
}

impl From<sqlx::Error> for InsertRefused {
    fn from(error: sqlx::Error) -> Self {
        let constraint = error.as_database_error().and_then(sqlx::error::DatabaseError::constraint);
        if constraint == Some("users_email_key") { Self::EmailTaken } else { Self::Database(error) }
    }
}

/// Makes a user, and gives the number and the role that every user begins with. The unique index decides whether the e-mail is free, so there is
/// no moment between a look and the insert.
pub async fn insert(
    connection: &mut PgConnection,
    user: &NewUser<'_>,
    now: OffsetDateTime,
) -> Result<(UserId, Role), InsertRefused> {
    let row = sqlx::query!(
        "insert into users (first_name, last_name, email, password, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $5)
         returning id, role",
        user.first_name.as_str(),
        user.last_name.as_str(),
        user.email.as_str(),
        user.password.expose(),
        now,
    )
    .fetch_one(connection)
    .await?;
    Ok((row.id, read_role(&row.role)?))
}

/// What a login with this e-mail needs to know.
pub async fn find_credentials(
    connection: &mut PgConnection,
    email: &Email,
) -> Result<Option<Credentials>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select id, password, disabled_at is not null as "disabled!"
           from users where lower(email collate "C") = $1"#,
        email.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Credentials {
        id: row.id,
        password: PasswordHash::stored(row.password),
        disabled: row.disabled,
    }))
}

/// The user that a token speaks of, if its session lives, the user may sign in, and the token is not from before they
/// were changed. A session younger than the token is another one of the same number, and one that began by `too_old`
/// has ended.
pub async fn find_signed_in(
    connection: &mut PgConnection,
    bearer: Bearer,
    now: OffsetDateTime,
    too_old: OffsetDateTime,
) -> Result<Option<User>, sqlx::Error> {
    sqlx::query_as!(
        User,
        "select users.id, first_name, last_name, email, role, disabled_at, users.created_at, users.updated_at
         from refresh_tokens join users on users.id = user_id
         where refresh_tokens.id = $1 and users.id = $2 and expires_at > $3 and disabled_at is null
             and greatest(floor(extract(epoch from refresh_tokens.created_at)),
                          extract(epoch from tokens_not_before)) <= $4::bigint
             and refresh_tokens.created_at > $5",
        bearer.session_id,
        bearer.user_id,
        now,
        bearer.issued_at,
        too_old,
    )
    .fetch_optional(connection)
    .await
}

/// Every user, in the order they came.
pub async fn list(connection: &mut PgConnection) -> Result<Vec<User>, sqlx::Error> {
    sqlx::query_as!(
        User,
        "select id, first_name, last_name, email, role, disabled_at, created_at, updated_at
         from users order by id"
    )
    .fetch_all(connection)
    .await
}

/// Replaces a hash, unless another change of the password came first.
pub async fn replace_password(
    connection: &mut PgConnection,
    user_id: UserId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users set password = $3 where id = $1 and password = $2",
        user_id,
        old.expose(),
        new.expose(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether a user has another password than this by now. What it is stays so until the transaction ends.
pub async fn has_other_password(
    connection: &mut PgConnection,
    user_id: UserId,
    password: &PasswordHash,
) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        r#"select password <> $2 as "other!" from users where id = $1 for share"#,
        user_id,
        password.expose(),
    );
    Ok(found.fetch_optional(connection).await?.unwrap_or(false))
}

/// Gives a user another password.
pub async fn set_password(
    connection: &mut PgConnection,
    user_id: UserId,
    password: &PasswordHash,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users set password = $2, updated_at = $3 where id = $1",
        user_id,
        password.expose(),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Holds a user's row until the transaction ends, before whoever makes or refreshes a session of theirs.
pub async fn lock(connection: &mut PgConnection, user_id: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("select id from users where id = $1 for no key update", user_id)
        .fetch_optional(connection)
        .await?;
    Ok(())
}

/// The same for the user with this e-mail. `None`: there is no such user.
pub async fn lock_by_email(
    connection: &mut PgConnection,
    email: &Email,
) -> Result<Option<UserId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select id from users where lower(email collate "C") = $1 for no key update"#,
        email.as_str(),
    )
    .fetch_optional(connection)
    .await
}

/// Gives a user a role. `None`: there is no such user.
pub async fn set_role(
    connection: &mut PgConnection,
    email: &Email,
    role: &Role,
    now: OffsetDateTime,
) -> Result<Option<UserId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"update users set role = $2, updated_at = $3 where lower(email collate "C") = $1 returning id"#,
        email.as_str(),
        role.as_str(),
        now,
    )
    .fetch_optional(connection)
    .await
}

/// Lets a user sign in, or not. A user who was disabled already stays so since then. `None`: there is no such user.
pub async fn set_disabled(
    connection: &mut PgConnection,
    email: &Email,
    disabled: bool,
    now: OffsetDateTime,
) -> Result<Option<UserId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"update users set disabled_at = case when $2 then coalesce(disabled_at, $3) end, updated_at = $3
           where lower(email collate "C") = $1 returning id"#,
        email.as_str(),
        disabled,
        now,
    )
    .fetch_optional(connection)
    .await
}

/// Deletes a user, and with the row the sessions; a trigger has the edge refuse every token of theirs.
pub async fn delete(connection: &mut PgConnection, user_id: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from users where id = $1", user_id).execute(connection).await?;
    Ok(())
}

/// The schema holds roles to their form, so this fails only if the schema was tampered with.
pub(super) fn read_role(text: &str) -> Result<Role, sqlx::Error> {
    Role::parse(text).map_err(|mistake| sqlx::Error::Decode(mistake.into()))
}
