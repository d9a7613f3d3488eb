//! The edge feed of this companion: the database is read once a second at most, and every gateway that asks for the same
//! within that second gets the same bytes.

mod pages;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::{Ban, BansAt, EdgeFeed, FeedQuery, KeysAt, MAX_BANS, MAX_PAGE, VERSION};
use time::OffsetDateTime;
use tokio::sync::Mutex;
use tokio::time::timeout;

use self::pages::{Page, PageQuery, Pages};
use crate::db::connection::Connection;
use crate::db::{bans, edge_feed};
use crate::domain::edge::feed_cursor::Cursor;
use crate::domain::edge::feed_log::{FeedLog, Plan};
use crate::domain::token::key_set::KeySet;
use crate::service::{Context, Error};

/// Maximum length of the responses that are kept for a second, in bytes, all together. Chosen: room for some dozens of
/// full pages; gateways that keep up share a few short ones.
const MAX_KEPT_BYTES: usize = 16 << 20;

/// Maximum time of a read. Chosen: longer than the wait for a connection.
const READ_TIMEOUT: Duration = Duration::from_secs(6);

/// Response of the edge feed.
pub struct FeedDocument {
    /// Body: the JSON of an [`EdgeFeed`].
    pub body: String,
    /// Entity tag of the body, in quotes (RFC 9110 §8.8.3).
    pub etag: String,
    /// `true` if the next page is ready now.
    pub more: bool,
}

/// Publisher of the edge feed.
#[derive(Default)]
pub struct FeedPublisher {
    state: Mutex<State>,
    pages: Mutex<Pages>,
    /// Number of reads that have failed. Polls that waited for one of them fail with it.
    failed: AtomicU64,
}

#[derive(Default)]
struct State {
    /// Second that the state was read in; `None` before the first read.
    second: Option<i64>,
    log: Option<FeedLog>,
    /// Tag and bans; `None` if they could not be read.
    bans: Option<(String, Vec<Ban>)>,
    /// Responses of this second, by their query.
    responses: HashMap<String, Arc<FeedDocument>>,
    kept_bytes: usize,
}

/// `true` while the bans cannot be read, so that this is logged once.
static BANS_UNREADABLE: AtomicBool = AtomicBool::new(false);

impl FeedPublisher {
    /// Returns the number of reads that have failed so far.
    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Responds to a poll that came when `failed` reads had failed.
    pub(super) async fn respond(
        &self,
        context: &Context,
        keys: &KeySet,
        query: &FeedQuery<'_>,
        failed: u64,
    ) -> Result<Arc<FeedDocument>, Error> {
        let now = context.now();
        let wanted = {
            let mut state = self.state.lock().await;
            if self.failed() != failed {
                return Err(Error::FeedUnread);
            }
            // A silent server must not hold up every poll until their own time is over.
            let read = timeout(READ_TIMEOUT, state.read_once_a_second(context, now));
            if let Err(error) = read.await.unwrap_or(Err(Error::FeedUnread)) {
                self.failed.fetch_add(1, Ordering::Relaxed);
                return Err(error);
            }
            if let Some(document) = state.responses.get(&query.to_string()) {
                return Ok(Arc::clone(document));
            }
            let log = state.log.as_mut().ok_or(Error::FeedUnread)?;
            match log.plan(query.after.parse().ok(), now.unix_timestamp()) {
                Plan::Known { revoked, cut } => {
                    let page = Page { revoked, next: Cursor::at(cut) };
                    return state.publish(keys, query, &page, now);
                }
                Plan::Page(cursor) => PageQuery::new(log, cursor),
            }
        };
        // Gateways that keep up do not wait for the pages of one that starts.
        let page = self.pages.lock().await.get(context, wanted, now).await?;
        self.state.lock().await.publish(keys, query, &page, now)
    }
}

impl State {
    async fn read_once_a_second(&mut self, context: &Context, now: OffsetDateTime) -> Result<(), Error> {
        if self.second != Some(now.unix_timestamp()) {
            self.read(context, now).await?;
            self.second = Some(now.unix_timestamp());
            self.responses.clear();
            self.kept_bytes = 0;
        }
        Ok(())
    }

    /// Writes a response, and keeps it for the others of its second.
    fn publish(
        &mut self,
        keys: &KeySet,
        query: &FeedQuery<'_>,
        page: &Page,
        now: OffsetDateTime,
    ) -> Result<Arc<FeedDocument>, Error> {
        let document = Arc::new(self.render(keys, query, page, now)?);
        let name = query.to_string();
        let length = name.len() + document.body.len();
        if self.second == Some(now.unix_timestamp()) && self.kept_bytes + length <= MAX_KEPT_BYTES {
            self.kept_bytes += length;
            self.responses.insert(name, Arc::clone(&document));
        }
        Ok(document)
    }

    /// Reads what is new in the database, and makes a cut of it, unless another companion has done so in this second.
    async fn read(&mut self, context: &Context, now: OffsetDateTime) -> Result<(), Error> {
        context.metrics.count_feed_read();
        let mut connection = context.connection().await?;
        let known = match &self.log {
            Some(log) => edge_feed::list_cuts_from(&mut connection, log.latest().id).await?,
            None => Vec::new(),
        };
        // After a failover that has lost the latest cut, the log is worth nothing.
        let mut log = match self.log.take() {
            Some(log) if known.first() == Some(log.latest()) => log,
            _ => FeedLog::starting_at(edge_feed::latest_cut(&mut connection).await?),
        };
        let from = log.latest().snapshot.clone();
        let mut page = edge_feed::read(&mut connection, (&from, None), None, now, MAX_PAGE + 1).await?;
        // No cut of this server ever sees rows that were restored from another one.
        if page.rows.last().is_some_and(|row| row.key.xact >= page.present.xmax()) {
            edge_feed::adopt_restored(&mut connection).await?;
            page = edge_feed::read(&mut connection, (&from, None), None, now, MAX_PAGE + 1).await?;
        }
        let mut rows = Some(page.rows).filter(|rows| rows.len() <= MAX_PAGE);
        for cut in known.into_iter().filter(|cut| cut.id > log.latest().id).collect::<Vec<_>>() {
            log.append(cut, &mut rows);
        }
        let (latest, second) = (log.latest(), now.unix_timestamp());
        if rows.as_ref().is_none_or(|rows| !rows.is_empty()) && latest.name.second != second {
            let cut = edge_feed::insert_cut(&mut connection, latest.id, second, &page.present).await?;
            if let Some(cut) = cut {
                log.append(cut, &mut rows);
            }
        }
        self.log = Some(log);
        self.bans = read_bans(&mut connection, now).await.map(|list| (tag_bans(&list), list));
        Ok(())
    }

    fn render(
        &self,
        keys: &KeySet,
        query: &FeedQuery<'_>,
        page: &Page,
        now: OffsetDateTime,
    ) -> Result<FeedDocument, Error> {
        let log = self.log.as_ref().ok_or(Error::FeedUnread)?;
        let more = page.next.scan.is_some() || page.next.from.as_ref() != Some(&log.latest().name);
        let bans = query.bans.as_ref().and_then(|held| {
            let (etag, list) = self.bans.as_ref()?;
            Some(BansAt { etag: etag.clone(), list: (etag != held).then(|| list.clone()) })
        });
        let set = (query.keys != keys.etag()).then(|| keys.published().clone());
        let feed = EdgeFeed {
            at: now.unix_timestamp().unsigned_abs(),
            version: Some(VERSION.into()),
            keys: KeysAt { etag: keys.etag().to_owned(), set },
            revoked: page.revoked.clone(),
            cursor: page.next.to_string(),
            more,
            bans,
        };
        // Strings and numbers alone: writing them cannot fail.
        let body = serde_json::to_string(&feed).unwrap_or_default();
        Ok(FeedDocument { etag: format!("\"{}\"", hash(&body)), body, more })
    }
}

/// Reads the bans; `None` if that fails. The gateway keeps those that it has, and gets the revocations, which matter more.
async fn read_bans(connection: &mut Connection, now: OffsetDateTime) -> Option<Vec<Ban>> {
    let read = bans::list(connection, now, MAX_BANS).await;
    let has_failed = BANS_UNREADABLE.swap(read.is_err(), Ordering::Relaxed);
    match read {
        Ok(list) => Some(list),
        Err(cause) => {
            if !has_failed {
                let cause = Error::from(cause);
                tracing::warn!(%cause, "cannot read the table bans: the edge feed goes without new bans");
            }
            None
        }
    }
}

/// Returns the tag of a list of bans.
fn tag_bans(list: &[Ban]) -> String {
    let lines: Vec<String> =
        list.iter().map(|Ban(network, scope, until)| format!("{network} {scope:?} {until}")).collect();
    hash(&lines.join("\n"))
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}
