//! The poll of the edge feed by a gateway.

use std::sync::Arc;

use edgeward_wire::FeedQuery;

use super::feed_publisher::{FeedDocument, FeedPublisher};
use crate::service::{Context, Error, Tokens, detached};
use crate::telemetry::metrics::FeedPoll;

/// Reads what a gateway does not know yet, and counts the poll.
///
/// The query has the cursor of the last response that it has applied, and the tags of the key set and of the bans that it
/// has. An unknown cursor starts from the beginning: it is harmless to apply an entry twice. The read of the database goes
/// on if the gateway hangs up, because others wait for it too.
///
/// # Errors
/// [`Error::FeedUnread`] if a read that this poll waited for has failed, [`Error::Unavailable`] and [`Error::Database`]
/// if its own has.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn read_feed(
    context: &Context,
    tokens: &Arc<Tokens>,
    publisher: &Arc<FeedPublisher>,
    query: FeedQuery<'static>,
) -> Result<Arc<FeedDocument>, Error> {
    let failed = publisher.failed();
    let use_case = {
        let (context, tokens, publisher) = (context.clone(), Arc::clone(tokens), Arc::clone(publisher));
        async move { publisher.respond(&context, &tokens.keys.current(), &query, failed).await }
    };
    let read = detached(context, use_case).await;
    let poll = match &read {
        Ok(document) if document.more => FeedPoll::More,
        Ok(_) => FeedPoll::Complete,
        Err(_) => FeedPoll::Failed,
    };
    context.metrics.count_feed_poll(poll, context.now());
    read
}
