//! Writer without a companion: it shows what the cluster itself needs, and which acknowledged rows are lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::tally::Tally;

/// Writer of numbered rows.
pub(crate) struct Writer {
    pub(crate) tally: Arc<Tally>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<Vec<i64>>,
}

impl Writer {
    pub(crate) async fn start(url: String) -> Self {
        let mut connection = PgConnection::connect(&url).await.expect("a connection");
        sqlx::query("create table written (number bigint)").execute(&mut connection).await.expect("a table");
        let (tally, stop) = (Arc::new(Tally::start()), Arc::new(AtomicBool::new(false)));
        let (noted, stopped) = (Arc::clone(&tally), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            let mut connection = Some(connection);
            for number in 0_i64.. {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                if connection.is_none() {
                    let connecting = timeout(Duration::from_secs(2), PgConnection::connect(&url)).await;
                    connection = connecting.ok().and_then(Result::ok);
                }
                if let Some(open) = &mut connection {
                    let insert = sqlx::query("insert into written values ($1)").bind(number).execute(open);
                    if let Ok(Ok(_)) = timeout(Duration::from_secs(30), insert).await {
                        acknowledged.push(number);
                        noted.note_write();
                    } else {
                        connection = None;
                    }
                }
                sleep(Duration::from_millis(50)).await;
            }
            acknowledged
        });
        Self { tally, stop, task }
    }

    /// Ends the writer, and counts the acknowledged rows that are lost.
    pub(crate) async fn finish(self, url: &str) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let acknowledged = self.task.await.expect("the rows");
        let mut connection = PgConnection::connect(url).await.expect("a connection");
        let kept: Vec<i64> = sqlx::query_scalar("select number from written")
            .fetch_all(&mut connection)
            .await
            .expect("the rows");
        acknowledged.iter().filter(|number| !kept.contains(number)).count()
    }
}
