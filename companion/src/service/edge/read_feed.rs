//! The poll of the edge feed by a gateway.

use edgeward_wire::{EdgeFeed, KeysAt, MAX_PAGE};

use crate::db::edge_feed;
use crate::domain::edge::feed_cursor::{Cursor, Position};
use crate::service::{Context, Error, Tokens};
use crate::telemetry::metrics::FeedPoll;

/// Reads what a gateway does not know yet, and counts the poll.
///
/// `after` is the cursor of the last response that it has applied, and `etag` names the key set that it has. An
/// unknown cursor starts from the beginning: it is harmless to apply an entry twice.
///
/// # Errors
/// [`Error::FeedNotReady`] if another companion is just beginning the history, [`Error::Database`] if the database
/// fails.
pub async fn read_feed(
    context: &Context,
    tokens: &Tokens,
    after: &str,
    etag: &str,
) -> Result<EdgeFeed, Error> {
    let read = read(context, tokens, after, etag).await;
    let poll = match &read {
        Ok(EdgeFeed { more: false, .. }) => FeedPoll::Complete,
        Ok(EdgeFeed { more: true, .. }) => FeedPoll::More,
        Err(_) => FeedPoll::Failed,
    };
    context.metrics.count_feed_poll(poll, context.now());
    read
}

async fn read(context: &Context, tokens: &Tokens, after: &str, etag: &str) -> Result<EdgeFeed, Error> {
    let keys = tokens.keys.current();
    let is_known = etag == keys.etag();
    let set = (!is_known).then(|| keys.published().clone());

    let mut connection = context.connection().await?;
    let now = context.now();
    let cursor: Option<Cursor> = after.parse().ok();
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
    Ok(EdgeFeed {
        at: now.unix_timestamp().unsigned_abs(),
        keys: KeysAt { etag: keys.etag().to_owned(), set },
        revoked: page.revoked,
        more: page.last.is_some(),
        cursor: Cursor { history, position: position.advance(&page.present, page.last) }.to_string(),
    })
}
