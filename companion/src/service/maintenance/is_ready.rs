//! The readiness check.

use tokio::sync::Mutex;

use crate::db::schema;
use crate::service::Context;

/// Result of the last check, and the second that it was made in: each gateway asks once a second.
#[derive(Default)]
pub struct Readiness(Mutex<Option<(i64, bool)>>);

/// Returns `true` if the database can be reached and has a schema that this version can run with. It is checked once a
/// second at most; whoever asks meanwhile waits for that.
pub async fn is_ready(context: &Context, readiness: &Readiness) -> bool {
    let mut last = readiness.0.lock().await;
    let second = context.now().unix_timestamp();
    if let Some((_, is_ready)) = last.filter(|(checked, _)| *checked == second) {
        return is_ready;
    }
    let is_ready = check(context).await;
    *last = Some((second, is_ready));
    is_ready
}

async fn check(context: &Context) -> bool {
    let Ok(mut connection) = context.connection().await else { return false };
    matches!(schema::compare(&mut connection).await, Ok(None))
}
