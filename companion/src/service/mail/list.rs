//! The list of mails that were given up.

use crate::db::outbox::{self, GivenUpMail};
use crate::service::{Context, Error};

/// Maximum number of mails of a list. Chosen: a screenful or two, the newest.
const LIMIT: i64 = 100;

/// Lists the mails that were given up, the newest first, at most 100.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
pub async fn list(context: &Context) -> Result<Vec<GivenUpMail>, Error> {
    Ok(outbox::list_given_up(&mut *context.connection().await?, LIMIT).await?)
}
