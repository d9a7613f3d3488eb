//! A user and its parts: name, e-mail address, password, role.

pub mod email;
pub mod name;
pub mod password;
pub mod role;
pub mod text;

use time::OffsetDateTime;

use self::email::Email;
use self::name::Name;
use self::role::Role;
use super::UserId;

/// User without the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Identifier.
    pub id: UserId,
    /// First name.
    pub first_name: Name,
    /// Last name.
    pub last_name: Name,
    /// E-mail address, which is the login name.
    pub email: Email,
    /// Role.
    pub role: Role,
    /// Time from which on the user may not sign in; `None` if the user may.
    pub disabled_at: Option<OffsetDateTime>,
    /// Time of creation.
    pub created_at: OffsetDateTime,
    /// Time of the last change.
    pub updated_at: OffsetDateTime,
}

/// User to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// First name.
    pub first_name: Name,
    /// Last name.
    pub last_name: Name,
    /// E-mail address.
    pub email: Email,
    /// Role.
    pub role: Role,
}
