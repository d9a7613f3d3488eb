//! `edgeward user list|show`.

use super::{describe, print_line};
use crate::cli::time_of;
use crate::domain::account::User;
use crate::domain::account::search::{UserCursor, UserFilter};
use crate::domain::account::user_ref::UserRef;
use crate::domain::page::PageSize;
use crate::service::{Context, account};

/// Prints every user, a page at a time.
pub(super) async fn print_all(context: &Context) -> anyhow::Result<()> {
    print_line(format_args!("{:>6}  {:<32}  {:<16}  {:<9}  NAME", "ID", "E-MAIL", "ROLE", "STATE"))?;
    let mut after = Some(UserCursor::default());
    while let Some(cursor) = after {
        let page = account::list(context, &UserFilter::default(), &cursor, PageSize::MAX).await?;
        for user in page.items {
            let (id, email, role) = (user.id, user.email.as_str(), user.role.as_str());
            let (state, name) = (state(&user), name(&user));
            print_line(format_args!("{id:>6}  {email:<32}  {role:<16}  {state:<9}  {name}"))?;
        }
        after = page.next;
    }
    Ok(())
}

/// Prints one user, a line for each member.
pub(super) async fn print_one(context: &Context, user: &UserRef) -> anyhow::Result<()> {
    let user = account::find(context, user).await.map_err(describe(user))?;
    print_line(format_args!("id        {}", user.id))?;
    print_line(format_args!("e-mail    {}", user.email.as_str()))?;
    print_line(format_args!("name      {}", name(&user)))?;
    print_line(format_args!("role      {}", user.role.as_str()))?;
    match user.disabled_at {
        Some(at) => print_line(format_args!("state     disabled since {}", time_of(at)))?,
        None => print_line("state     active")?,
    }
    print_line(format_args!("created   {}", time_of(user.created_at)))?;
    print_line(format_args!("changed   {}", time_of(user.updated_at)))
}

fn state(user: &User) -> &'static str {
    if user.disabled_at.is_some() { "disabled" } else { "active" }
}

fn name(user: &User) -> String {
    format!("{} {}", user.first_name.as_str(), user.last_name.as_str())
}
