-- Attempts to guess a secret, counted for all companions together, and the clients that the edge refuses for them.
--
-- Both are of use for minutes: unlogged, so that an attempt costs no write-ahead log. A crash or a failover empties them,
-- and every client begins anew.
create unlogged table attempts (
    -- Subject of the bucket and a keyed hash of it: no address and no e-mail address can be read from it.
    key      bytea       primary key constraint attempts_key_length check (octet_length(key) between 1 and 33),
    -- Theoretical arrival time of the generic cell rate algorithm (ITU-T I.371): the bucket is full again then.
    tat      timestamptz not null,
    -- Consecutive failures, for the buckets that belong to an authenticator (NIST SP 800-63B-4 §3.2.2).
    failures integer     not null default 0 constraint attempts_failures_positive check (failures >= 0),
    -- User whose account the bucket is of; null for addresses, and for accounts that do not exist. No foreign key, which
    -- would lock the user's row with every attempt.
    user_id  bigint
);

-- For the cleaning. Failures of users are kept, and are not in it.
create index attempts_tat on attempts (tat) where failures = 0 or user_id is null;
-- For a new password, and an unlocked or deleted user.
create index attempts_user_id on attempts (user_id) where user_id is not null;

create unlogged table bans (
    -- IPv4 address or network, IPv6 network.
    network  cidr        not null,
    -- What is refused: attempts with credentials, or requests that would be held for a refresh.
    door     text        not null constraint bans_door_known check (door in ('credentials', 'refresh')),
    until    timestamptz not null,
    primary key (network, door)
);
