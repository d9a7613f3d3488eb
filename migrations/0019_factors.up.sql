-- Second factors: authenticator apps (TOTP, RFC 6238), passkeys (WebAuthn Level 3) and recovery codes, and what is in
-- between: logins that wait for one, and challenges.
--
-- It only adds, so older companions go on. They start sessions with a password alone, for users with a factor too: offer
-- factors to people once all companions have this version.
create table factors (
    id            bigint      generated always as identity primary key,
    user_id       bigint      not null references users (id) on delete cascade,
    kind          text        not null constraint factors_kind_known check (kind in ('totp', 'passkey')),
    -- Name that the user gave it.
    name          text        not null constraint factors_name_length check (char_length(name) between 1 and 100),
    created_at    timestamptz not null,
    last_used_at  timestamptz,
    -- `true` if a password alone does not sign in any more. A passkey that a browser has created by itself demands nothing:
    -- its user may not know of it.
    is_demanded   boolean     not null,
    -- TOTP: AES-256-GCM, bound to the user: nonce, secret, tag. And the last time step whose code was accepted: each is
    -- accepted once (RFC 6238 §5.2).
    sealed        bytea       constraint factors_sealed_length check (octet_length(sealed) between 28 and 128),
    last_step     bigint,
    -- Passkey: its ID (at most 1,023 bytes, WebAuthn §4), and public key, counter and flags, as the library writes them.
    credential_id bytea       constraint factors_credential_id_key unique
                              constraint factors_credential_id_length check (octet_length(credential_id) <= 1023),
    credential    jsonb,
    constraint factors_totp check ((kind = 'totp') = (sealed is not null and last_step is not null)),
    constraint factors_passkey check ((kind = 'passkey') = (credential_id is not null and credential is not null))
);
create index factors_user_id on factors (user_id);

-- Codes that replace a factor, each once. A row is deleted by its use.
create table recovery_codes (
    user_id bigint not null references users (id) on delete cascade,
    -- SHA-256. A code has 120 random bits, which are not guessed from it (OWASP ASVS 5.0, 6.5.2).
    hash    bytea  not null constraint recovery_codes_hash_length check (octet_length(hash) = 32),
    primary key (user_id, hash)
);

-- Logins whose password was right, and that wait for the factor. A row is deleted by its use. They live for minutes:
-- unlogged, so after a crash or a failover people type their password again.
create unlogged table pending_logins (
    -- SHA-256 of the token that the client has.
    token_hash          bytea       primary key
                                    constraint pending_logins_token_hash_length check (octet_length(token_hash) = 32),
    user_id             bigint      not null,
    -- State of the password that was compared: another one ends the login.
    password_changed_at timestamptz not null,
    -- Name that the client gave itself: another one cannot go on with the login.
    device              text,
    expires_at          timestamptz not null
);
create index pending_logins_expires_at on pending_logins (expires_at);

-- What a client has to respond to: the secret of an authenticator app that is being added, or the challenge of a passkey.
-- A row is deleted by its use. Unlogged for the same reason.
create unlogged table factor_challenges (
    -- SHA-256 of the token that the client has.
    token_hash bytea       primary key
                           constraint factor_challenges_token_hash_length check (octet_length(token_hash) = 32),
    purpose    text        not null,
    -- User and session that asked for it; null for a sign-in.
    user_id    bigint,
    session_id bigint,
    -- Secret, sealed, or state of the library.
    state      bytea       not null constraint factor_challenges_state_length check (octet_length(state) <= 65536),
    expires_at timestamptz not null
);
create index factor_challenges_expires_at on factor_challenges (expires_at);
