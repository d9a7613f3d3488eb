-- Mails to people, and the one-time tokens that their links and codes are.

-- When the owner proved that mails to the address arrive; null if never. An older companion leaves it alone.
alter table users add column email_verified_at timestamptz;

-- Links and codes that are sent by mail. Nobody who reads the table can use one: it has digests of 256 random bits alone.
create table one_time_tokens (
    id              bigint      generated always as identity primary key,
    -- What it permits. A token is of no use for anything else.
    purpose         text        not null constraint one_time_tokens_purpose_form check (purpose ~ '^[a-z][a-z_]{0,63}$'),
    -- Whom it is for; null for an address that nobody has: a request leaves the same rows behind, known or not. No foreign
    -- key, which would be work for known addresses alone.
    user_id         bigint,
    -- The address that it was sent to.
    email           text        not null constraint one_time_tokens_email_length check (char_length(email) <= 254),
    -- The state that it may change, by purpose: it is of no use once that has changed.
    state           text        constraint one_time_tokens_state_length check (char_length(state) <= 254),
    -- SHA-256 of the token of the link.
    token_hash      bytea       not null unique constraint one_time_tokens_token_hash_length check (octet_length(token_hash) = 32),
    -- SHA-256 of the handle that the browser has in which the request was made, and of this handle and the code.
    handle_hash     bytea       unique constraint one_time_tokens_handle_hash_length check (octet_length(handle_hash) = 32),
    code_hash       bytea       constraint one_time_tokens_code_hash_length check (octet_length(code_hash) = 32),
    code_expires_at timestamptz,
    -- Codes that were typed and wrong.
    code_tries      integer     not null default 0 constraint one_time_tokens_code_tries_positive check (code_tries >= 0),
    created_at      timestamptz not null,
    expires_at      timestamptz not null,
    used_at         timestamptz,
    constraint one_time_tokens_code_whole
        check (num_nulls(handle_hash, code_hash, code_expires_at) in (0, 3))
);

create index one_time_tokens_expires_at on one_time_tokens (expires_at);
-- With the rows of nobody: an index without them would be less work for unknown addresses.
create index one_time_tokens_user_id on one_time_tokens (user_id);

-- Mails that have not been sent. A row is written in the transaction of what the mail tells, and deleted once a mail server
-- has accepted the mail.
create table outbox (
    id              bigint      generated always as identity primary key,
    -- An older companion leaves kinds that it does not know to a newer one.
    kind            text        not null constraint outbox_kind_form check (kind ~ '^[a-z][a-z_]{0,63}$'),
    -- Null for an address that nobody has: the mail is not sent.
    user_id         bigint,
    recipient       text        not null constraint outbox_recipient_length check (char_length(recipient) <= 254),
    -- Language of the request that led to it; null if that was somebody else's.
    language        text        constraint outbox_language_form check (language ~ '^[a-z]{2}$'),
    -- What the mail tells, by kind.
    details         jsonb       not null constraint outbox_details_object check (jsonb_typeof(details) = 'object'),
    -- Link and code, AES-256-GCM under a key from REFRESH_JWT_SECRET: whoever reads the database cannot use them.
    sealed          bytea,
    created_at      timestamptz not null,
    -- From then on the mail is of no use.
    expires_at      timestamptz not null,
    -- When it is tried next. Whoever tries it moves this first, so that nobody else does at the same time.
    next_attempt_at timestamptz not null,
    attempts        integer     not null default 0 constraint outbox_attempts_positive check (attempts >= 0),
    -- Why the last attempt failed; null while it is under way.
    last_error      text        constraint outbox_last_error_length check (char_length(last_error) <= 500),
    -- It is not tried again, unless an operator wants it.
    given_up_at     timestamptz
);

create index outbox_next_attempt_at on outbox (next_attempt_at, id) where given_up_at is null;
