//! `edgeward user list|show`.

use super::{describe, print_line};
use crate::cli::list::{Column, Table, for_each};
use crate::domain::account::User;
use crate::domain::account::search::{UserCursor, UserFilter};
use crate::domain::account::user_ref::UserRef;
use crate::domain::page::PageSize;
use crate::domain::time::format_seconds;
use crate::service::{Context, account};

/// Prints every user, a page at a time.
pub(super) async fn print_all(context: &Context) -> anyhow::Result<()> {
    let table = Table::begin([
        ("ID", Column::Number(6)),
        ("E-MAIL", Column::Text(32)),
        ("ROLE", Column::Text(16)),
        ("STATE", Column::Text(9)),
        ("NAME", Column::Last),
    ])?;
    let list = async |after: Option<UserCursor>| {
        account::list(context, &UserFilter::default(), &after.unwrap_or_default(), PageSize::MAX).await
    };
    for_each(list, usize::MAX, |user| {
        let (id, email, role) = (user.id.to_string(), user.email.as_str(), user.role.as_str());
        table.print([id, email.to_owned(), role.to_owned(), state(&user).to_owned(), name(&user)])
    })
    .await
}

/// Prints one user, a line for each member.
pub(super) async fn print_one(context: &Context, user: &UserRef) -> anyhow::Result<()> {
    let user = account::find(context, user).await.map_err(describe(user))?;
    print_line(format_args!("id        {}", user.id))?;
    print_line(format_args!("e-mail    {}", user.email.as_str()))?;
    print_line(format_args!("name      {}", name(&user)))?;
    print_line(format_args!("role      {}", user.role.as_str()))?;
    match user.disabled_at {
        Some(at) => print_line(format_args!("state     disabled since {}", format_seconds(at)))?,
        None => print_line("state     active")?,
    }
    print_line(format_args!("created   {}", format_seconds(user.created_at)))?;
    print_line(format_args!("changed   {}", format_seconds(user.updated_at)))
}

fn state(user: &User) -> &'static str {
    if user.disabled_at.is_some() { "disabled" } else { "active" }
}

fn name(user: &User) -> String {
    format!("{} {}", user.first_name.as_str(), user.last_name.as_str())
}
