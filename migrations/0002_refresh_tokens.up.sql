-- Sessions: one row is one session, and its refresh token is replaced in place at every refresh.
--
-- The token itself is not stored. It is signed, and names a session and a generation; the row says which
-- generation is the live one, so an older token is refused and a copy of this table signs nobody in.
create table refresh_tokens (
    id         bigint generated always as identity primary key,
    -- A user who is deleted takes the sessions along.
    user_id    bigint      not null references users (id) on delete cascade,
    generation bigint      not null default 1 constraint refresh_tokens_generation_positive check (generation > 0),
    expires_at timestamptz not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

-- Ending all of a user's sessions, and the cascade above.
create index refresh_tokens_user_id_idx on refresh_tokens (user_id);
-- Deleting what has expired.
create index refresh_tokens_expires_at_idx on refresh_tokens (expires_at);
