//! Use cases that a client cannot stop.

use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::time::timeout;
use tracing::Instrument as _;

use super::{Context, Error};

/// Maximum time of a use case that its client cannot stop: a server that is silent never ends it. Chosen: longer than a
/// request may take, and than several statements.
const DETACHED_TIMEOUT: Duration = Duration::from_secs(30);

/// Cause that is logged if a use case takes longer.
const NO_END: &str = "the use case has not ended within 30 s";

/// Runs a use case to its end, even if the client hangs up.
pub(super) async fn detached<T: Send + 'static>(
    context: &Context,
    use_case: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    // The span of the use case is for traces alone: log lines have the request's.
    let traced = use_case.in_current_span().instrument(context.request_span.clone());
    let done = tokio::spawn(timeout(DETACHED_TIMEOUT, traced)).await.map_err(|_| Error::Panicked)?;
    done.unwrap_or_else(|_| Err(sqlx::Error::Io(io::Error::new(ErrorKind::TimedOut, NO_END)).into()))
}
