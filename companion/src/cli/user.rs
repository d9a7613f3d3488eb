//! `edgeward user create|list|show|import|export|set-role|set-password|disable|enable|unlock|reset-factors|delete`.

mod create;
mod export;
mod format;
mod import;
mod list;
mod new_password;

use std::sync::Arc;

use anyhow::{anyhow, bail};
use clap::Subcommand;

use self::new_password::{read_password, start_hasher};

use super::{connect, print_line, read_settings};
use crate::clock::Clock;
use crate::config::{Database, Hashing, Log, Mail, Reader, Section};
use crate::db::pooler;
use crate::domain;
use crate::domain::account::UserChanges;
use crate::domain::account::email::Email;
use crate::domain::account::role::Role;
use crate::domain::account::user_ref::UserRef;
use crate::service::account::{self, LastAdmin};
use crate::service::mail::Mailing;
use crate::service::{Context, Error, factor};
use crate::telemetry::log;

#[derive(Subcommand)]
pub(super) enum User {
    /// Create a user; the password is read from standard input
    Create(create::Create),
    /// List every user
    List,
    /// Show a user
    Show {
        /// E-mail address or ID of the user
        user: UserRef,
    },
    /// Import users of another system, with their bcrypt hashes, from a file or a table
    ///
    /// Columns are `id`, `first_name`, `last_name`, `email`, `password_hash`, `role`, `disabled`, `disabled_at`, `created_at`
    /// and `updated_at`; names like `firstName` and `password` are known too. Every mistake is named, and nothing of a source
    /// with mistakes is written. The exit code is 1 if there were any.
    Import(import::Import),
    /// Export every user, without password hashes unless they are asked for
    ///
    /// The output can be imported. It is data: nothing in it is escaped for spreadsheets, which take a name that begins
    /// with `=` for a formula.
    Export(export::Export),
    /// Set a user's role; the edge refreshes the user's tokens at their next request, and the role holds from then on
    SetRole {
        /// E-mail address or ID of the user
        user: UserRef,
        /// New role
        #[arg(value_parser = Role::parse)]
        role: Role,
        /// Make the change even if no administrator is left who may sign in
        #[arg(long)]
        last_admin_too: bool,
    },
    /// Set a user's password, which is read from standard input, and end all the user's sessions
    SetPassword {
        /// E-mail address or ID of the user
        user: UserRef,
        /// Read the password from standard input even if that is a terminal
        #[arg(long)]
        password_stdin: bool,
    },
    /// Disable a user's sign-in, and end all the user's sessions
    Disable {
        /// E-mail address or ID of the user
        user: UserRef,
        /// Make the change even if no administrator is left who may sign in
        #[arg(long)]
        last_admin_too: bool,
    },
    /// Enable the sign-in of a disabled user
    Enable {
        /// E-mail address or ID of the user
        user: UserRef,
    },
    /// Forget a user's failed logins, from every device
    Unlock {
        /// E-mail address or ID of the user
        user: UserRef,
    },
    /// Remove all second factors and recovery codes of a user who has lost them, and end all sessions; the password alone
    /// signs in then
    ResetFactors {
        /// E-mail address or ID of the user
        user: UserRef,
    },
    /// Delete a user and all the user's sessions; the entries in the audit log stay
    Delete {
        /// E-mail address or ID of the user
        user: UserRef,
        /// Confirm the deletion, which cannot be undone
        #[arg(long)]
        yes: bool,
        /// Make the change even if no administrator is left who may sign in
        #[arg(long)]
        last_admin_too: bool,
    },
}

/// Settings of these commands.
struct Settings {
    database: Database,
    hashing: Hashing,
    mail: Mail,
    log: Log,
}

impl Section for Settings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (database, hashing) = (Database::read(reader), Hashing::read(reader));
        let (mail, log) = (Mail::read(reader), Log::read(reader));
        Some(Self { database: database?, hashing: hashing?, mail: mail?, log: log? })
    }
}

impl User {
    pub(super) async fn run(self, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
        let settings: Settings = read_settings()?;
        if let Self::Delete { user, yes: false, .. } = &self {
            bail!("this deletes {user} and cannot be undone; confirm with --yes")
        }
        log::start_for_command(&settings.log)?;
        if let Self::Import(_) = &self {
            // It stages the rows in a temporary table.
            pooler::require_session(&settings.database.direct())?;
        }
        let mail = Arc::new(Mailing::of_commands(settings.mail.kinds));
        let context = &Context { mail, ..connect::open(&settings.database, clock).await? };
        match self {
            Self::Create(user) => user.run(context, &settings.hashing).await,
            Self::List => list::print_all(context).await,
            Self::Show { user } => list::print_one(context, &user).await,
            Self::Import(import) => import.run(context).await,
            Self::Export(export) => export.run(context).await,
            Self::SetRole { user, role, last_admin_too } => {
                let changes = UserChanges { role: Some(role), ..UserChanges::default() };
                let (user, _) = update(context, &user, &changes, last_admin_too).await?;
                let (name, role) = (named(&user), user.role.as_str());
                print_line(format_args!("{name} has the role {role} from the next refresh on"))
            }
            Self::SetPassword { user, password_stdin } => {
                let hasher = start_hasher(context, &settings.hashing)?;
                let password = read_password(password_stdin, hasher.policy)?;
                let done = account::set_password(context, &hasher, &user, password).await;
                let (user, ended) = done.map_err(describe(&user))?;
                print_line(format_args!("{} has a new password; sessions ended: {ended}", named(&user)))
            }
            Self::Disable { user, last_admin_too } => {
                let changes = UserChanges { disabled: Some(true), ..UserChanges::default() };
                let (user, ended) = update(context, &user, &changes, last_admin_too).await?;
                print_line(format_args!("{} may not sign in; sessions ended: {ended}", named(&user)))
            }
            Self::Enable { user } => {
                let changes = UserChanges { disabled: Some(false), ..UserChanges::default() };
                let (user, _) = update(context, &user, &changes, false).await?;
                print_line(format_args!("{} may sign in", named(&user)))
            }
            Self::Unlock { user } => {
                let user = account::unlock(context, &user).await.map_err(describe(&user))?;
                print_line(format_args!("{} is unlocked: the count of failed logins is 0", named(&user)))
            }
            Self::ResetFactors { user } => {
                let reset = factor::reset(context, &user).await.map_err(describe(&user))?;
                print_line(format_args!(
                    "{} signs in by the password alone; factors removed: {}; sessions ended: {}",
                    named(&reset.user),
                    reset.factors_removed,
                    reset.sessions_ended
                ))
            }
            Self::Delete { user, last_admin_too, .. } => {
                let deleted = account::delete(context, &user, last_admin(last_admin_too)).await;
                let (user, ended) = deleted.map_err(describe(&user))?;
                print_line(format_args!("{} is deleted; sessions ended: {ended}", named(&user)))
            }
        }
    }
}

async fn update(
    context: &Context,
    user: &UserRef,
    changes: &UserChanges,
    last_admin_too: bool,
) -> anyhow::Result<(domain::account::User, usize)> {
    account::update(context, user, changes, last_admin(last_admin_too)).await.map_err(describe(user))
}

fn last_admin(last_admin_too: bool) -> LastAdmin {
    if last_admin_too { LastAdmin::MayGo } else { LastAdmin::Stays }
}

/// Names a user by ID and address.
fn named(user: &domain::account::User) -> String {
    format!("user {} ({})", user.id, user.email.as_str())
}

/// Describes an error with the user that it concerns.
pub(super) fn describe(user: &UserRef) -> impl Fn(Error) -> anyhow::Error {
    move |error| match error {
        Error::UserUnknown => anyhow!("there is no user {user}"),
        Error::EmailTaken => anyhow!("there is a user {user} already"),
        Error::LastAdmin => anyhow!(
            "{user} is the last administrator who may sign in: give another user the role first, or repeat the command \
             with --last-admin-too"
        ),
        other => other.into(),
    }
}

fn parse_email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|mistake| mistake.to_string())
}
