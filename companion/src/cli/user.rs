//! `edgeward user create|list|set-role|set-password|disable|enable|delete`.

use std::io::{self, IsTerminal, Read};
use std::sync::Arc;

use anyhow::{anyhow, bail};
use aws_lc_rs::rand::SystemRandom;
use clap::{Args, Subcommand};

use super::{connect, read_settings, say};
use crate::clock::Clock;
use crate::config::{Database, Hashing, Log, Reader, Section};
use crate::domain::account::NewUser;
use crate::domain::account::email::Email;
use crate::domain::account::name::Name;
use crate::domain::account::password::Password;
use crate::domain::account::role::Role;
use crate::hashing::PasswordHasher;
use crate::service::{Context, Error, account};
use crate::telemetry::log;

#[derive(Subcommand)]
pub(super) enum User {
    /// Create a user; the password is read from standard input
    Create(Create),
    /// List every user
    List,
    /// Set a user's role; it holds from the user's next refresh on, which the edge asks for at once
    SetRole {
        /// E-mail address of the user
        #[arg(value_parser = parse_email)]
        email: Email,
        /// Role to set
        #[arg(value_parser = Role::parse)]
        role: Role,
    },
    /// Set a user's password, read from standard input, and end all sessions of theirs
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

impl User {
    pub(super) async fn run(self, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
        let settings: Settings = read_settings()?;
        if let Self::Delete { email, yes: false } = &self {
            bail!("this deletes {} for good; say --yes to do it", email.as_str())
        }
        log::start_for_command(&settings.log)?;
        let context = &connect::open(&settings.database, clock).await?;
        match self {
            Self::Create(user) => create(context, user, &settings.hashing).await,
            Self::List => list(context).await,
            Self::SetRole { email, role } => {
                let id = account::set_role(context, &email, &role).await.map_err(of(&email))?;
                let (email, role) = (email.as_str(), role.as_str());
                say(format_args!("user {id} ({email}) has the role {role} from the next refresh on"))
            }
            Self::SetPassword { email, password_stdin } => {
                let password = read_password(password_stdin)?;
                let hasher = hasher(&settings.hashing);
                let done = account::set_password(context, &hasher, &email, password).await;
                let (id, ended) = done.map_err(of(&email))?;
                let email = email.as_str();
                say(format_args!("user {id} ({email}) has another password; sessions ended: {ended}"))
            }
            Self::Disable { email } => {
                let (id, ended) = account::disable(context, &email).await.map_err(of(&email))?;
                let email = email.as_str();
                say(format_args!("user {id} ({email}) may not sign in; sessions ended: {ended}"))
            }
            Self::Enable { email } => {
                let id = account::enable(context, &email).await.map_err(of(&email))?;
                say(format_args!("user {id} ({}) may sign in", email.as_str()))
            }
            Self::Delete { email, .. } => {
                let (id, ended) = account::delete(context, &email).await.map_err(of(&email))?;
                say(format_args!("user {id} ({}) is deleted; sessions ended: {ended}", email.as_str()))
            }
        }
    }
}

async fn create(context: &Context, user: Create, hashing: &Hashing) -> anyhow::Result<()> {
    let Create { email, first_name, last_name, role, password_stdin } = user;
    let password = read_password(password_stdin)?;
    let user = NewUser { first_name, last_name, email, role };
    let created = account::create(context, &hasher(hashing), &user, password).await;
    let (id, role) = created.map_err(of(&user.email))?;
    say(format_args!("user {id} ({}) is created, as {}", user.email.as_str(), role.as_str()))
}

async fn list(context: &Context) -> anyhow::Result<()> {
    say(format_args!("{:>6}  {:<32}  {:<16}  {:<9}  NAME", "ID", "E-MAIL", "ROLE", "STATE"))?;
    for user in account::list(context).await? {
        let state = if user.disabled_at.is_some() { "disabled" } else { "active" };
        let name = format!("{} {}", user.first_name.as_str(), user.last_name.as_str());
        let (id, email, role) = (user.id, user.email.as_str(), user.role.as_str());
        say(format_args!("{id:>6}  {email:<32}  {role:<16}  {state:<9}  {name}"))?;
    }
    Ok(())
}

/// Says which user an error is about.
fn of(email: &Email) -> impl Fn(Error) -> anyhow::Error {
    let email = email.as_str();
    move |error| match error {
        Error::UserUnknown => anyhow!("there is no user {email}"),
        Error::EmailTaken => anyhow!("there is a user {email} already"),
        other => other.into(),
    }
}

fn hasher(hashing: &Hashing) -> PasswordHasher {
    PasswordHasher::new(hashing.bcrypt_cost, 1, Arc::new(SystemRandom::new()))
}

/// Reads exactly one line of standard input, less the end of the line: an argument would be seen in the process list and
/// kept in the shell's history.
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
    if password.is_empty() {
        bail!("no password came by standard input: pipe one line into the command");
    }
    if password.contains('\n') {
        bail!("the password must be one line, and there are more");
    }
    Password::parse(password).map_err(|mistake| anyhow!("{mistake}"))
}

fn parse_email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|mistake| mistake.to_string())
}

fn parse_name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|mistake| mistake.to_string())
}
