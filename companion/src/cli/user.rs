//! `edgeward user create|list|set-role|set-password|disable|enable`.

use std::io::{self, IsTerminal, Read};
use std::sync::Arc;

use anyhow::{anyhow, bail};
use aws_lc_rs::rand::SystemRandom;
use clap::{Args, Subcommand};
use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;

use super::{connect, read_settings, say};
use crate::config::{Database, Hashing, Reader, Section};
use crate::db::users::{self, InsertRefused, NewUser};
use crate::db::{refresh_tokens, revocations};
use crate::domain::UserId;
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
        /// Whose
        #[arg(value_parser = parse_email)]
        email: Email,
        /// Which
        #[arg(value_parser = Role::parse)]
        role: Role,
    },
    /// Give a user another password, read from standard input, and end all sessions of theirs
    SetPassword {
        /// Whose
        #[arg(value_parser = parse_email)]
        email: Email,
        /// Read the password from standard input even if that is a terminal
        #[arg(long)]
        password_stdin: bool,
    },
    /// Keep a user from signing in, and end all sessions of theirs
    Disable {
        /// Whom
        #[arg(value_parser = parse_email)]
        email: Email,
    },
    /// Let a disabled user sign in again
    Enable {
        /// Whom
        #[arg(value_parser = parse_email)]
        email: Email,
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

/// What these commands need of the settings.
struct Settings {
    database: Database,
    hashing: Hashing,
}

impl Section for Settings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (database, hashing) = (Database::read(reader), Hashing::read(reader));
        Some(Self { database: database?, hashing: hashing? })
    }
}

impl User {
    pub(super) async fn run(self, clock: &dyn Clock) -> anyhow::Result<()> {
        let settings: Settings = read_settings()?;
        let connection = &mut connect::connect_to_schema(&settings.database).await?;
        match self {
            Self::Create(create) => create.run(connection, &settings.hashing, clock.now()).await,
            Self::List => list(connection).await,
            Self::SetRole { email, role } => set_role(connection, &email, &role, clock).await,
            Self::SetPassword { email, password_stdin } => {
                let password = hash(read_password(password_stdin)?, &settings.hashing).await?;
                set_password(connection, &email, &password, clock).await
            }
            Self::Disable { email } => disable(connection, &email, clock).await,
            Self::Enable { email } => {
                let id = require(users::set_disabled(connection, &email, false, clock.now()).await?, &email)?;
                say(format_args!("user {id} ({}) may sign in", email.as_str()))
            }
        }
    }
}

impl Create {
    async fn run(
        self,
        connection: &mut PgConnection,
        hashing: &Hashing,
        now: OffsetDateTime,
    ) -> anyhow::Result<()> {
        let password = hash(read_password(self.password_stdin)?, hashing).await?;
        let user = NewUser {
            first_name: &self.first_name,
            last_name: &self.last_name,
            email: &self.email,
            password: &password,
        };
        let email = self.email.as_str();
        let mut transaction = connection.begin().await?;
        let (id, first_role) = match users::insert(&mut transaction, &user, now).await {
            Ok(made) => made,
            Err(InsertRefused::EmailTaken) => bail!("there is a user {email} already"),
            Err(InsertRefused::Database(error)) => return Err(error.into()),
        };
        if let Some(role) = &self.role {
            users::set_role(&mut transaction, &self.email, role, now).await?;
        }
        transaction.commit().await?;
        say(format_args!("user {id} ({email}) is made, as {}", self.role.unwrap_or(first_role).as_str()))
    }
}

async fn set_role(
    connection: &mut PgConnection,
    email: &Email,
    role: &Role,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    let mut transaction = connection.begin().await?;
    let (id, now) = revoke(&mut transaction, email, clock).await?;
    users::set_role(&mut transaction, email, role, now).await?;
    transaction.commit().await?;
    let (email, role) = (email.as_str(), role.as_str());
    say(format_args!("user {id} ({email}) has the role {role} from the next refresh on"))
}

async fn set_password(
    connection: &mut PgConnection,
    email: &Email,
    password: &PasswordHash,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    let mut transaction = connection.begin().await?;
    let (id, now) = revoke(&mut transaction, email, clock).await?;
    users::set_password(&mut transaction, id, password, now).await?;
    let ended = refresh_tokens::delete_all(&mut transaction, id).await?;
    transaction.commit().await?;
    say(format_args!("user {id} ({}) has another password; sessions ended: {ended}", email.as_str()))
}

/// Has the edge refuse every token that the user has. Gives the moment of that, which the change to come is made at.
async fn revoke(
    transaction: &mut PgConnection,
    email: &Email,
    clock: &dyn Clock,
) -> anyhow::Result<(UserId, OffsetDateTime)> {
    let id = require(users::lock_by_email(transaction, email).await?, email)?;
    let now = clock.now();
    revocations::end_user_tokens(transaction, id, now).await?;
    Ok((id, now))
}

async fn disable(connection: &mut PgConnection, email: &Email, clock: &dyn Clock) -> anyhow::Result<()> {
    let mut transaction = connection.begin().await?;
    let (id, now) = revoke(&mut transaction, email, clock).await?;
    users::set_disabled(&mut transaction, email, true, now).await?;
    let ended = refresh_tokens::delete_all(&mut transaction, id).await?;
    transaction.commit().await?;
    say(format_args!("user {id} ({}) may not sign in; sessions ended: {ended}", email.as_str()))
}

async fn list(connection: &mut PgConnection) -> anyhow::Result<()> {
    say(format_args!("{:>6}  {:<32}  {:<16}  {:<9}  NAME", "ID", "E-MAIL", "ROLE", "STATE"))?;
    for user in users::list(connection).await? {
        let state = if user.disabled_at.is_some() { "disabled" } else { "active" };
        let name = format!("{} {}", user.first_name, user.last_name);
        say(format_args!("{:>6}  {:<32}  {:<16}  {state:<9}  {name}", user.id, user.email, user.role))?;
    }
    Ok(())
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
    let password = line.strip_suffix('\n').map_or(&*line, |line| line.strip_suffix('\r').unwrap_or(line));
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
