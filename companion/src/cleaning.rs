//! Deletes what has expired, and counts what has not, in the background: a batch at a time, and rows that anybody holds are left for later, so
//! that nobody ever waits for it. When it is done is of no consequence: what has expired is refused while it is there.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::{App, Random};
use crate::db::{refresh_tokens, revocations};
use crate::metrics::METRICS;

/// About how long it rests. Several companions clean at different times, by chance.
pub const INTERVAL: Duration = Duration::from_mins(1);

/// Cleans now and then until `stop` turns true.
pub async fn run(app: Arc<App>, interval: Duration, random: Random, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(about(interval, &random)) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        if let Err(cause) = clean(&app).await {
            tracing::warn!(%cause, "what has expired stays for now");
        }
    }
}

/// Deletes sessions and revocations that have expired, and counts the revocations that have not.
async fn clean(app: &App) -> Result<(), sqlx::Error> {
    // A connection for each batch, so that nobody waits for all of them.
    while refresh_tokens::delete_expired(&mut *app.pool.acquire().await?, app.now()).await? {}
    while revocations::delete_expired(&mut *app.pool.acquire().await?, app.now()).await? {}
    let live = revocations::count_live(&mut *app.pool.acquire().await?, app.now()).await?;
    METRICS.set_revocations(live);
    Ok(())
}

/// Half of it to one and a half.
fn about(interval: Duration, random: &Random) -> Duration {
    let mut byte = [0];
    // Without randomness, all clean at the same time.
    _ = random.fill(&mut byte);
    let [byte] = byte;
    interval / 2 + interval * u32::from(byte) / 255
}
