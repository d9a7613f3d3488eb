//! The edge feed of this companion: the database is read once a second at most, and every gateway that asks for the same
//! within that second gets the same bytes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::clock::MAX_GAP_S;
use edgeward_wire::{Ban, BansAt, EdgeFeed, FeedQuery, KeysAt, MAX_BANS, MAX_PAGE, Revoked, VERSION};
use sqlx::PgConnection;
use time::OffsetDateTime;
use tokio::sync::Mutex;

use crate::db::{bans, edge_feed};
use crate::domain::edge::feed_cursor::{Cursor, Cut, RowKey, Scan};
use crate::domain::edge::feed_log::{self, FeedLog, KnownCut, Plan};
use crate::domain::edge::snapshot::Snapshot;
use crate::domain::token::key_set::KeySet;
use crate::service::{Context, Error};

/// Maximum number of revocations in the pages that are kept for gateways that start. Chosen: 16 MB, all pages of a million.
const MAX_KEPT_ROWS: usize = 1 << 20;
/// Maximum length of the responses that are kept for a second, in bytes, all together. Chosen: room for some dozens of
/// full pages; gateways that keep up share a few short ones.
const MAX_KEPT_BYTES: usize = 16 << 20;

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
    /// Pages to a cut, which never change.
    pages: HashMap<(Option<Cut>, Scan), Arc<Page>>,
    kept_rows: usize,
    /// Responses of this second, by their query.
    responses: HashMap<String, Arc<FeedDocument>>,
    kept_bytes: usize,
}

/// Revocations of a response, and the cursor of the next request.
struct Page {
    revoked: Revoked,
    next: Cursor,
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
        let mut state = self.state.lock().await;
        if self.failed() != failed {
            return Err(Error::FeedUnread);
        }
        let responded = state.respond(context, keys, query).await;
        if responded.is_err() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        responded
    }
}

impl State {
    async fn respond(
        &mut self,
        context: &Context,
        keys: &KeySet,
        query: &FeedQuery<'_>,
    ) -> Result<Arc<FeedDocument>, Error> {
        let now = context.now();
        if self.second != Some(now.unix_timestamp()) {
            self.read(context, now).await?;
            self.second = Some(now.unix_timestamp());
            self.responses.clear();
            self.kept_bytes = 0;
        }
        let name = query.to_string();
        if let Some(document) = self.responses.get(&name) {
            return Ok(Arc::clone(document));
        }
        let document = Arc::new(self.render(context, keys, query, now).await?);
        if self.kept_bytes + document.body.len() <= MAX_KEPT_BYTES {
            self.kept_bytes += document.body.len();
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
        let page = edge_feed::read(&mut connection, (&from, None), None, now, MAX_PAGE + 1).await?;
        let mut rows = Some(page.rows).filter(|rows| rows.len() <= MAX_PAGE);
        for cut in known.into_iter().filter(|cut| cut.id > log.latest().id).collect::<Vec<_>>() {
            log.append(cut, &mut rows);
        }
        let (latest, second) = (log.latest(), now.unix_timestamp());
        if rows.as_ref().is_none_or(|rows| !rows.is_empty()) && latest.name.second != second {
            let cut = edge_feed::insert_cut(&mut connection, latest.id, second, &page.present).await?;
            cut.into_iter().for_each(|cut| log.append(cut, &mut rows));
        }
        self.log = Some(log);
        self.bans = read_bans(&mut connection, now).await.map(|list| (tag_bans(&list), list));
        Ok(())
    }

    async fn render(
        &mut self,
        context: &Context,
        keys: &KeySet,
        query: &FeedQuery<'_>,
        now: OffsetDateTime,
    ) -> Result<FeedDocument, Error> {
        let log = self.log.as_mut().ok_or(Error::FeedUnread)?;
        let latest = log.latest().clone();
        let page = match log.plan(query.after.parse().ok(), now.unix_timestamp()) {
            Plan::Known { revoked, cut } => Arc::new(Page { revoked, next: Cursor::at(cut) }),
            Plan::Page(cursor) => self.page(context, cursor, &latest, now).await?,
        };
        let more = page.next.scan.is_some() || page.next.from.as_ref() != Some(&latest.name);
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

    /// Returns a page, from memory or from the database.
    async fn page(
        &mut self,
        context: &Context,
        cursor: Cursor,
        latest: &KnownCut,
        now: OffsetDateTime,
    ) -> Result<Arc<Page>, Error> {
        let Cursor { from, scan } = cursor;
        let scan = scan.unwrap_or_else(|| Scan { to: latest.name.clone(), after: None });
        let name = (from, scan);
        if let Some(page) = self.pages.get(&name) {
            return Ok(Arc::clone(page));
        }
        context.metrics.count_feed_read();
        let mut connection = context.connection().await?;
        let page = Arc::new(self.read_page(&mut connection, &name, latest, now).await?);
        let rows = page.revoked.sessions.len() + page.revoked.users.len();
        if self.kept_rows + rows > MAX_KEPT_ROWS {
            self.pages.clear();
            self.kept_rows = 0;
        }
        // A page counts for more than its rows, so that empty ones are bounded too.
        self.kept_rows += rows + MAX_PAGE / 64;
        self.pages.insert(name, Arc::clone(&page));
        Ok(page)
    }

    async fn read_page(
        &self,
        connection: &mut PgConnection,
        (from, scan): &(Option<Cut>, Scan),
        latest: &KnownCut,
        now: OffsetDateTime,
    ) -> Result<Page, Error> {
        let (mut to, mut after) = (self.find(connection, Some(&scan.to)).await?, scan.after);
        let mut start = self.find(connection, from.as_ref()).await?;
        if to.is_none() || (start.is_none() && from.is_some()) {
            (to, after) = (None, None);
        }
        if let (None, Some(from)) = (&start, from)
            && from.second <= now.unix_timestamp() + i64::from(MAX_GAP_S)
        {
            start = edge_feed::find_cut_before(connection, from).await?;
        }
        let to = to.unwrap_or_else(|| latest.clone());
        let empty = Snapshot::empty();
        let range = (start.as_ref().map_or(&empty, |cut| &cut.snapshot), Some(&to.snapshot));
        let rows = edge_feed::read(connection, range, after, now, MAX_PAGE).await?.rows;
        let last: Option<RowKey> = rows.last().filter(|_| rows.len() == MAX_PAGE).map(|row| row.key);
        let mut revoked = Revoked::default();
        feed_log::add(&mut revoked, rows.into_iter().map(|row| row.entry));
        let next = match last {
            Some(last) => Cursor {
                from: start.map(|cut| cut.name),
                scan: Some(Scan { to: to.name, after: Some(last) }),
            },
            None => Cursor::at(to.name),
        };
        Ok(Page { revoked, next })
    }

    /// Finds a cut in the log or in the database.
    async fn find(
        &self,
        connection: &mut PgConnection,
        name: Option<&Cut>,
    ) -> Result<Option<KnownCut>, Error> {
        let Some(name) = name else { return Ok(None) };
        match self.log.as_ref().and_then(|log| log.find(name)) {
            Some(cut) => Ok(Some(cut.clone())),
            None => Ok(edge_feed::find_cut(connection, name).await?),
        }
    }
}

/// Reads the bans; `None` if that fails. The gateway keeps those that it has, and gets the revocations, which matter more.
async fn read_bans(connection: &mut PgConnection, now: OffsetDateTime) -> Option<Vec<Ban>> {
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
