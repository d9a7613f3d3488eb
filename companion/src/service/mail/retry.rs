//! Another attempt for mails that were given up.

use crate::db::outbox;
use crate::service::{Context, Error};

/// Lets a mail be tried again, or all that were given up, unless they are of no use any more. Returns their number.
///
/// # Errors
/// [`Error::Unavailable`] and [`Error::Database`] if the database fails.
pub async fn retry(context: &Context, id: Option<i64>) -> Result<u64, Error> {
    Ok(outbox::retry(&mut *context.connection().await?, id, context.now()).await?)
}
