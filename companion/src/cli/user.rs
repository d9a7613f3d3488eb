//! `edgeward user create|list|set-role|set-password|disable|enable|delete`.

use std::io::{self, IsTerminal, Read};
use std::sync::Arc;

use anyhow::{anyhow, bail};
use aws_lc_rs::rand::SystemRandom;
use clap::{Args, Subcommand};
use sqlx::{Connection, Postgres, Transaction};
use time::OffsetDateTime;

use super::{audit, connect, read_settings, say};
use crate::config::{Database, Hashing, Log, Reader, Section};
use crate::db::users::{self, InsertRefused, NewUser};
use crate::db::{audit_log, refresh_tokens, revocations};
use crate::domain::UserId;
use crate::domain::audit::{COMMAND_LINE, Change, Entry};
use crate::domain::clock::Clock;
use crate::domain::email::Email;
use crate::domain::hashing::{HashingRefused, PasswordHasher};
use crate::domain::name::Name;
use crate::domain::password::{Password, PasswordHash};
use crate::domain::role::Role;

#[derive(Subcommand)]
pub(super) enum User {
    /// Make a user; the password is read from standard input
    Create(Create),
    /// List every user
    List,
    /// Give a user a role; it holds from the user's next refresh on, which the edge asks for at once
    SetRole {
        /// E-mail address of the user
        #[arg(value_parser = parse_email)]
        email: Email,
        /// Role to give
        #[arg(value_parser = Role::parse)]
        role: Role,
    },
    /// Give a user another password, read from standard input, and end all sessions of theirs
    SetPassword {
        /// E-mail address of the user
        #[arg(value_parser = parse_email)]
        email: Email,
        /// Read the password from standard input even if that is a terminal
        #[arg(long)]
        password_stdin: bool,
    },
    /// Keep a user from signing in, and end all sessions of theirs
    Disable {
        /// E-mail address of the user
        #[arg(value_parser = parse_email)]
        email: Email,
    },
    /// Let a disabled user sign in again
    Enable {
        /// E-mail address of the user
        #[arg(value_parser = parse_email)]
        email: Email,
    },
    /// Delete a user with all sessions of theirs; what is in the audit log stays
    Delete {
        /// E-mail address of the user
        #[arg(value_parser = parse_email)]
        email: Email,
        /// Confirm that the deletion is for good
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
pub(super) struct Create {
    #[arg(value_parser = parse_email)]
    email: Email,
    #[arg(long, value_parser = parse_name)]
    first_name: Name,
    #[arg(long, value_parser = parse_name)]
    last_name: Name,
    #[arg(long, value_parser = Role::parse)]
    role: Option<Role>,
    /// Read the password from standard input even if that is a terminal
    #[arg(long)]
    password_stdin: bool,
}

/// Settings of these commands.
struct Settings {
    database: Database,
    hashing: Hashing,
    log: Log,
}

impl Section for Settings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (database, hashing, log) = (Database::read(reader), Hashing::read(reader), Log::read(reader));
        Some(Self { database: database?, hashing: hashing?, log: log? })
    }
}

/// One change: its transaction, which the audit log is written in, and where that is told.
struct Action<'a> {
    transaction: Transaction<'a, Postgres>,
    clock: &'a dyn Clock,
    log: &'a Log,
}

impl User {
    pub(super) async fn run(self, clock: &dyn Clock) -> anyhow::Result<()> {
        let settings: Settings = read_settings()?;
        if let Self::Delete { email, yes: false } = &self {
            bail!("this deletes {} for good; say --yes to do it", email.as_str())
        }
        let mut connection = connect::connect_to_schema(&settings.database).await?;
        // Before the transaction, in which nobody is to wait for a person.
        let password = match &self {
            Self::Create(Create { password_stdin, .. }) | Self::SetPassword { password_stdin, .. } => {
                Some(hash(read_password(*password_stdin)?, &settings.hashing).await?)
            }
            _ => None,
        };
        let transaction = connection.begin().await?;
        let action = Action { transaction, clock, log: &settings.log };
        match (self, password) {
            (Self::Create(create), Some(password)) => action.create(create, &password).await,
            (Self::SetPassword { email, .. }, Some(password)) => action.set_password(&email, &password).await,
            (Self::SetRole { email, role }, _) => action.set_role(&email, &role).await,
            (Self::Disable { email }, _) => action.disable(&email).await,
            (Self::Enable { email }, _) => action.enable(&email).await,
            (Self::Delete { email, .. }, _) => action.delete(&email).await,
            (Self::List, _) => action.list().await,
            (Self::Create(_) | Self::SetPassword { .. }, None) => bail!("there is no password"),
        }
    }
}

impl Action<'_> {
    async fn create(mut self, create: Create, password: &PasswordHash) -> anyhow::Result<()> {
        let Create { email, first_name, last_name, role, .. } = create;
        let now = self.clock.now();
        let user = NewUser { first_name: &first_name, last_name: &last_name, email: &email, password };
        let (id, first_role) = match users::insert(&mut self.transaction, &user, now).await {
            Ok(made) => made,
            Err(InsertRefused::EmailTaken) => bail!("there is a user {} already", email.as_str()),
            Err(InsertRefused::Database(error)) => return Err(error.into()),
        };
        if let Some(role) = &role {
            users::set_role(&mut self.transaction, &email, role, now).await?;
        }
        let role = role.unwrap_or(first_role);
        self.finish(now, id, &Change::UserCreated(role.as_str().to_owned())).await?;
        say(format_args!("user {id} ({}) is made, as {}", email.as_str(), role.as_str()))
    }

    async fn set_role(mut self, email: &Email, role: &Role) -> anyhow::Result<()> {
        let (id, now) = self.revoke(email).await?;
        users::set_role(&mut self.transaction, email, role, now).await?;
        self.finish(now, id, &Change::RoleChanged(role.as_str().to_owned())).await?;
        let (email, role) = (email.as_str(), role.as_str());
        say(format_args!("user {id} ({email}) has the role {role} from the next refresh on"))
    }

    async fn set_password(mut self, email: &Email, password: &PasswordHash) -> anyhow::Result<()> {
        let (id, now) = self.revoke(email).await?;
        users::set_password(&mut self.transaction, id, password, now).await?;
        let ended = refresh_tokens::delete_all(&mut self.transaction, id).await?;
        self.finish(now, id, &Change::PasswordChanged(ended)).await?;
        say(format_args!("user {id} ({}) has another password; sessions ended: {ended}", email.as_str()))
    }

    async fn disable(mut self, email: &Email) -> anyhow::Result<()> {
        let (id, now) = self.revoke(email).await?;
        users::set_disabled(&mut self.transaction, email, true, now).await?;
        let ended = refresh_tokens::delete_all(&mut self.transaction, id).await?;
        self.finish(now, id, &Change::UserDisabled(ended)).await?;
        say(format_args!("user {id} ({}) may not sign in; sessions ended: {ended}", email.as_str()))
    }

    async fn enable(mut self, email: &Email) -> anyhow::Result<()> {
        let now = self.clock.now();
        let id = require(users::set_disabled(&mut self.transaction, email, false, now).await?, email)?;
        self.finish(now, id, &Change::UserEnabled).await?;
        say(format_args!("user {id} ({}) may sign in", email.as_str()))
    }

    async fn delete(mut self, email: &Email) -> anyhow::Result<()> {
        let id = require(users::lock_by_email(&mut self.transaction, email).await?, email)?;
        let now = self.clock.now();
        let ended = refresh_tokens::delete_all(&mut self.transaction, id).await?;
        users::delete(&mut self.transaction, id).await?;
        self.finish(now, id, &Change::UserDeleted(ended)).await?;
        say(format_args!("user {id} ({}) is deleted; sessions ended: {ended}", email.as_str()))
    }

    async fn list(mut self) -> anyhow::Result<()> {
        say(format_args!("{:>6}  {:<32}  {:<16}  {:<9}  NAME", "ID", "E-MAIL", "ROLE", "STATE"))?;
        for user in users::list(&mut self.transaction).await? {
            let state = if user.disabled_at.is_some() { "disabled" } else { "active" };
            let name = format!("{} {}", user.first_name, user.last_name);
            say(format_args!("{:>6}  {:<32}  {:<16}  {state:<9}  {name}", user.id, user.email, user.role))?;
        }
        Ok(())
    }

    /// Has the edge refuse every token that the user has. Gives the moment of that, which the change to come is made at.
    async fn revoke(&mut self, email: &Email) -> anyhow::Result<(UserId, OffsetDateTime)> {
        let id = require(users::lock_by_email(&mut self.transaction, email).await?, email)?;
        let now = self.clock.now();
        revocations::end_user_tokens(&mut self.transaction, id, now).await?;
        Ok((id, now))
    }

    /// Writes the change into the audit log, commits both, and tells it.
    async fn finish(mut self, now: OffsetDateTime, user_id: UserId, change: &Change) -> anyhow::Result<()> {
        let entry = Entry::new(now, COMMAND_LINE, Some(user_id), change);
        audit_log::insert(&mut self.transaction, &entry).await?;
        self.transaction.commit().await?;
        audit::tell(self.log, &entry);
        Ok(())
    }
}

/// Exactly one line of standard input, less the end of the line: an argument would be seen in the process list and kept in the shell's history.
fn read_password(even_from_terminal: bool) -> anyhow::Result<Password> {
    /// Far more than a password may have, so that a wrong file is not read to its end.
    const MAX_BYTES: u64 = 4096;
    let input = io::stdin();
    if input.is_terminal() && !even_from_terminal {
        bail!(
            "the password is read from standard input: pipe it in, or type it in sight with --password-stdin"
        );
    }
    let mut line = String::new();
    if input.is_terminal() {
        input.read_line(&mut line)?;
    } else {
        input.lock().take(MAX_BYTES).read_to_string(&mut line)?;
    }
    // Windows PowerShell begins with a byte-order mark what it pipes as UTF-8.
    let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
    let password = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
    if password.contains('\n') {
        bail!("the password must be one line, and there are more");
    }
    Password::parse(password).map_err(|mistake| anyhow!("{mistake}"))
}

async fn hash(password: Password, hashing: &Hashing) -> anyhow::Result<PasswordHash> {
    let hasher = PasswordHasher::new(hashing.bcrypt_cost, 1, Arc::new(SystemRandom::new()));
    hasher.hash(password).await.map_err(|refused: HashingRefused| anyhow!("not hashed: {refused:?}"))
}

fn require(found: Option<UserId>, email: &Email) -> anyhow::Result<UserId> {
    found.ok_or_else(|| anyhow!("there is no user {}", email.as_str()))
}

fn parse_email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|mistake| mistake.to_string())
}

fn parse_name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|mistake| mistake.to_string())
}
