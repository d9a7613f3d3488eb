//! `edgeward user create`.

use clap::Args;

use super::new_password::{read_password, start_hasher};
use super::{describe, parse_email};
use crate::cli::print_line;
use crate::config::Hashing;
use crate::domain::account::NewUser;
use crate::domain::account::email::Email;
use crate::domain::account::name::Name;
use crate::domain::account::role::Role;
use crate::domain::account::user_ref::UserRef;
use crate::service::{Context, account};

#[derive(Args)]
pub(in crate::cli) struct Create {
    /// E-mail address of the user
    #[arg(value_parser = parse_email)]
    email: Email,
    /// First name
    #[arg(long, value_parser = parse_name)]
    first_name: Name,
    /// Last name
    #[arg(long, value_parser = parse_name)]
    last_name: Name,
    /// Role, instead of the one that every user begins with
    #[arg(long, value_parser = Role::parse)]
    role: Option<Role>,
    /// Read the password from standard input even if that is a terminal
    #[arg(long)]
    password_stdin: bool,
}

impl Create {
    pub(super) async fn run(self, context: &Context, hashing: &Hashing) -> anyhow::Result<()> {
        let Create { email, first_name, last_name, role, password_stdin } = self;
        let hasher = start_hasher(context, hashing)?;
        let password = read_password(password_stdin, hasher.policy)?;
        let user = NewUser { first_name, last_name, email, role: role.unwrap_or_else(Role::initial) };
        let created = account::create(context, &hasher, &user, password).await;
        let id = created.map_err(describe(&UserRef::Email(user.email.clone())))?;
        print_line(format_args!("user {id} ({}) is created, as {}", user.email.as_str(), user.role.as_str()))
    }
}

fn parse_name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|mistake| mistake.to_string())
}
