-- What the edge must refuse though it has not expired, until it has.
--
-- Rows are only ever added and, once they have expired, deleted.
create table revocations (
    id         bigint generated always as identity primary key,
    -- The transaction that added the row. The edge feed asks by Postgres' own snapshots which transactions its asker
    -- cannot have seen: neither a number nor a time would do, because whoever takes one first may commit last.
    xact       xid8        not null default pg_current_xact_id(),
    -- No foreign keys: a revocation outlives what it speaks of.
    session_id bigint      constraint revocations_session_positive check (session_id > 0),
    user_id    bigint      constraint revocations_user_positive check (user_id > 0),
    -- Of a user's tokens those are refused whose iat is earlier.
    not_before timestamptz,
    -- From then on every token that it concerns has expired.
    expires_at timestamptz not null,
    constraint revocations_one_subject check ((session_id is null) <> (user_id is null)),
    constraint revocations_not_before_of_a_user check ((not_before is null) = (user_id is null))
);

-- Reading on in the feed.
create index revocations_xact_idx on revocations (xact, id);
-- Deleting what has expired.
create index revocations_expires_at_idx on revocations (expires_at);

-- Names the unbroken history of transaction numbers that a feed's cursor speaks of. A number that was given out but
-- not yet written to disk is given out again after a crash or a failover, and a cursor would take the second
-- transaction for the first. An unlogged table is emptied by exactly these events: no row, or another one, says that
-- every cursor has to begin anew.
create unlogged table edge_feed_history (
    only_row boolean primary key default true constraint edge_feed_history_one_row check (only_row),
    name     uuid not null default gen_random_uuid()
);

-- Every token that is made for the user has an iat no earlier, so that the first one after a change passes where the
-- last one before it, of the same second, does not.
alter table users add column tokens_not_before timestamptz;
