//! The poll of the edge feed by a gateway.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::{Ban, BansAt, EdgeFeed, FeedQuery, KeysAt, MAX_BANS, MAX_PAGE};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::db::{bans, edge_feed};
use crate::domain::edge::feed_cursor::{Cursor, Position};
use crate::service::{Context, Error, Tokens};
use crate::telemetry::metrics::FeedPoll;

/// `true` while the bans cannot be read, so that this is logged once.
static BANS_UNREADABLE: AtomicBool = AtomicBool::new(false);

/// Reads what a gateway does not know yet, and counts the poll.
///
/// The query has the cursor of the last response that it has applied, and the tags of the key set and of the bans that it
/// has. An unknown cursor starts from the beginning: it is harmless to apply an entry twice.
///
/// # Errors
/// [`Error::FeedNotReady`] if another companion is just beginning the history, [`Error::Database`] if the database
/// fails.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn read_feed(context: &Context, tokens: &Tokens, query: &FeedQuery<'_>) -> Result<EdgeFeed, Error> {
    let read = read(context, tokens, query).await;
    let poll = match &read {
        Ok(EdgeFeed { more: false, .. }) => FeedPoll::Complete,
        Ok(EdgeFeed { more: true, .. }) => FeedPoll::More,
        Err(_) => FeedPoll::Failed,
    };
    context.metrics.count_feed_poll(poll, context.now());
    read
}

async fn read(context: &Context, tokens: &Tokens, query: &FeedQuery<'_>) -> Result<EdgeFeed, Error> {
    let keys = tokens.keys.current();
    let is_known = query.keys == keys.etag();
    let set = (!is_known).then(|| keys.published().clone());

    let mut connection = context.connection().await?;
    let now = context.now();
    let cursor: Option<Cursor> = query.after.parse().ok();
    let mut position = cursor.as_ref().map_or_else(Position::start, |cursor| cursor.position.clone());
    let mut page = edge_feed::read(&mut connection, &position, now, MAX_PAGE).await?;
    if page.history.is_none() {
        edge_feed::begin_history(&mut connection).await?;
        page = edge_feed::read(&mut connection, &position, now, MAX_PAGE).await?;
    }
    let history = page.history.ok_or(Error::FeedNotReady)?;
    if cursor.is_some_and(|cursor| !cursor.belongs_to(&history, &page.present)) {
        position = Position::start();
        page = edge_feed::read(&mut connection, &position, now, MAX_PAGE).await?;
    }
    let bans = match &query.bans {
        Some(held) => read_bans(&mut connection, now).await.map(|list| tag_bans(list, held)),
        None => None,
    };
    Ok(EdgeFeed {
        bans,
        at: now.unix_timestamp().unsigned_abs(),
        keys: KeysAt { etag: keys.etag().to_owned(), set },
        revoked: page.revoked,
        more: page.last.is_some(),
        cursor: Cursor { history, position: position.advance(&page.present, page.last) }.to_string(),
    })
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

/// Tags a list of bans, and leaves it out if the gateway holds it.
fn tag_bans(list: Vec<Ban>, held: &str) -> BansAt {
    let lines: Vec<String> =
        list.iter().map(|Ban(network, scope, until)| format!("{network} {scope:?} {until}")).collect();
    let etag = URL_SAFE_NO_PAD.encode(digest(&SHA256, lines.join("\n").as_bytes()));
    let list = (etag != held).then_some(list);
    BansAt { etag, list }
}
