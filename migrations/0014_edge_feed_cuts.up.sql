-- Cuts of the edge feed: the points that its cursors name, the same for every companion.
--
-- A cut is a snapshot. A gateway with its cursor has every revocation that is visible in it, and whoever reads from one
-- cut to another gets the same rows. At most one is made in a second, and none while nothing is revoked.
--
-- The table is logged, so that cursors outlive a companion, a crash and a failover. That is safe: the commit of each
-- transaction that a cut sees is written to the log before the cut itself is. A standby that has the cut has them all,
-- and gives their numbers to nobody else. A cut that a failover has lost is unknown afterwards, by its tag.
create table edge_feed_cuts (
    id       bigint    generated always as identity primary key,
    -- The cut before this one, 0 for the first. Each has one successor, so that cuts are in the order of their snapshots
    -- although several companions make them.
    previous bigint    not null,
    -- Seconds since 1970, by the clock of the companion that made it.
    second   bigint    not null,
    tag      uuid      not null default gen_random_uuid(),
    -- The server whose transactions the snapshot is of. A dump of another one brings cuts that mean nothing here.
    server   bigint    not null,
    snapshot pg_snapshot not null,
    constraint edge_feed_cuts_one_successor unique (server, previous)
);

-- `edge_feed_history` is of no use to this version. Older ones need it, so a later release drops it.
