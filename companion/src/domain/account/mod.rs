//! A user and its parts: name, e-mail address, password, role.

pub mod email;
pub mod import;
pub mod name;
pub mod password;
pub mod password_policy;
pub mod role;
pub mod search;
pub mod text;
pub mod user_ref;

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

/// Changes of a user that are made together. What is `None` stays; the default changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChanges {
    /// New role.
    pub role: Option<Role>,
    /// `true` to disable the sign-in and end all sessions, `false` to enable it.
    pub disabled: Option<bool>,
    /// New first name.
    pub first_name: Option<Name>,
    /// New last name.
    pub last_name: Option<Name>,
}

impl UserChanges {
    /// Returns `true` if an administrator is none afterwards, or may not sign in.
    #[must_use]
    pub fn remove_admin(&self) -> bool {
        self.disabled == Some(true) || self.role.as_ref().is_some_and(|role| !role.is_admin())
    }

    /// Returns `true` if there is a new name.
    #[must_use]
    pub fn rename(&self) -> bool {
        self.first_name.is_some() || self.last_name.is_some()
    }
}
