-- Passkeys of several deployments with one domain. No release has made passkeys before: these columns have no older values.
--
-- Handle that browsers know a user by. Random, as the numbers of users are the same in each deployment, and an authenticator
-- overwrites a passkey by one of the same domain and handle (WebAuthn Level 3, §14.6.1, §6.3.2). It outlives the passkeys, so that
-- browsers can be told that they are gone.
create table user_handles (
    user_id bigint primary key references users (id) on delete cascade,
    handle  bytea  not null constraint user_handles_handle_key unique
                   constraint user_handles_handle_length check (octet_length(handle) = 16)
);

-- Domain that a passkey is bound to: browsers use it for no other.
alter table factors
    add column rp_id text,
    add constraint factors_rp_id check ((kind = 'passkey') = (rp_id is not null));

-- A session's former challenges are deleted with each new one.
create index factor_challenges_session_id on factor_challenges (session_id) where session_id is not null;
