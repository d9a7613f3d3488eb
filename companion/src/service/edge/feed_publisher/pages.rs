//! Pages of the edge feed from the database, for gateways that start or were away. They lead to a cut, so they never change,
//! and are kept for others that ask for the same.

use std::collections::HashMap;
use std::sync::Arc;

use edgeward_wire::clock::MAX_GAP_S;
use edgeward_wire::{MAX_PAGE, Revoked};
use time::OffsetDateTime;

use crate::db::connection::Connection;
use crate::db::edge_feed;
use crate::domain::edge::feed_cursor::{Cursor, Cut, Scan};
use crate::domain::edge::feed_log::{self, FeedLog, KnownCut};
use crate::domain::edge::snapshot::Snapshot;
use crate::service::{Context, Error};

/// Maximum number of revocations in the pages that are kept. Chosen: 16 MB, all pages of a million.
const MAX_KEPT_ROWS: usize = 1 << 20;
/// Number of revocations that a page counts for beside its own, so that empty ones are bounded too.
const PAGE_OVERHEAD: usize = 128;

/// Revocations of a response, and the cursor of the next request.
pub(super) struct Page {
    pub(super) revoked: Revoked,
    pub(super) next: Cursor,
}

/// Page that is wanted, and what the log knows of its cuts.
pub(super) struct PageQuery {
    from: Option<Cut>,
    scan: Scan,
    known_from: Option<KnownCut>,
    known_to: Option<KnownCut>,
    latest: KnownCut,
}

/// Pages that are kept.
#[derive(Default)]
pub(super) struct Pages {
    pages: HashMap<(Option<Cut>, Scan), Arc<Page>>,
    rows: usize,
}

impl PageQuery {
    /// Makes the query of a cursor.
    pub(super) fn new(log: &FeedLog, Cursor { from, scan }: Cursor) -> Self {
        let latest = log.latest().clone();
        let scan = scan.unwrap_or_else(|| Scan { to: latest.name.clone(), after: None });
        let known_from = from.as_ref().and_then(|from| log.find(from)).cloned();
        let known_to = log.find(&scan.to).cloned();
        Self { from, scan, known_from, known_to, latest }
    }
}

impl Pages {
    /// Returns a page, from memory or from the database.
    pub(super) async fn get(
        &mut self,
        context: &Context,
        query: PageQuery,
        now: OffsetDateTime,
    ) -> Result<Arc<Page>, Error> {
        let name = (query.from.clone(), query.scan.clone());
        if let Some(page) = self.pages.get(&name) {
            return Ok(Arc::clone(page));
        }
        context.metrics.count_feed_read();
        let mut connection = context.connection().await?;
        let page = Arc::new(read(&mut connection, query, now).await?);
        let rows = page.revoked.sessions.len() + page.revoked.users.len() + PAGE_OVERHEAD;
        if self.rows + rows > MAX_KEPT_ROWS {
            *self = Self::default();
        }
        self.rows += rows;
        self.pages.insert(name, Arc::clone(&page));
        Ok(page)
    }
}

/// Reads a page. If its cuts are unknown, it is the first page from an older one, or from the beginning.
async fn read(connection: &mut Connection, query: PageQuery, now: OffsetDateTime) -> Result<Page, Error> {
    let PageQuery { from, scan, known_from, known_to, latest } = query;
    let mut start = match (known_from, &from) {
        (None, Some(from)) => edge_feed::find_cut(connection, from).await?,
        (known, _) => known,
    };
    let is_known = start.is_some() || from.is_none();
    let to = match known_to {
        _ if !is_known => None,
        None => edge_feed::find_cut(connection, &scan.to).await?,
        known => known,
    };
    if let (None, Some(from)) = (&start, &from)
        // A cut of the future says nothing of the past.
        && from.second <= now.unix_timestamp() + i64::from(MAX_GAP_S)
    {
        start = edge_feed::find_cut_before(connection, from).await?;
    }
    let after = if to.is_some() { scan.after } else { None };
    let to = to.unwrap_or(latest);
    let empty = Snapshot::empty();
    let range = (start.as_ref().map_or(&empty, |cut| &cut.snapshot), Some(&to.snapshot));
    let rows = edge_feed::read(connection, range, after, now, MAX_PAGE).await?.rows;
    let last = rows.last().filter(|_| rows.len() == MAX_PAGE).map(|row| row.key);
    let mut revoked = Revoked::default();
    feed_log::add(&mut revoked, rows.into_iter().map(|row| row.entry));
    let next = match last {
        Some(last) => {
            Cursor { from: start.map(|cut| cut.name), scan: Some(Scan { to: to.name, after: Some(last) }) }
        }
        None => Cursor::at(to.name),
    };
    Ok(Page { revoked, next })
}
