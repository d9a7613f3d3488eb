//! The readiness check.

use crate::db::schema;
use crate::service::Context;

/// Returns `true` if the database can be reached and has our schema.
pub async fn is_ready(context: &Context) -> bool {
    let Ok(mut connection) = context.connection().await else { return false };
    matches!(schema::compare(&mut connection).await, Ok(None))
}
