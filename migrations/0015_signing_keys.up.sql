-- The keys that sign access tokens, where KEY_ENCRYPTION_KEY is set. Without it they are files, and the table is empty.
create table signing_keys (
    -- The thumbprint of the public half (RFC 7638).
    kid        text        primary key constraint signing_keys_kid_form check (kid ~ '^[A-Za-z0-9_-]{43}$'),
    phase      text        not null constraint signing_keys_phase_known
                           check (phase in ('signing', 'announced', 'retired')),
    -- When the phase began.
    since      timestamptz not null,
    -- In PEM. The largest key has 8,192 bits.
    public_key text        not null constraint signing_keys_public_key_length check (octet_length(public_key) <= 2048),
    -- AES-256-GCM under the key-encryption key, bound to the kid: nonce, the private half in PEM, tag. A retired key has the
    -- nonce and the tag of nothing, 28 bytes: its private half is gone for good, and still nobody without the
    -- key-encryption key can add a key.
    sealed     bytea       not null constraint signing_keys_sealed_length check (octet_length(sealed) between 28 and 4096),
    constraint signing_keys_private_half check ((phase = 'retired') = (octet_length(sealed) = 28)),
    -- Grows with every change of a row: companions compare it once a second.
    version    bigint      generated always as identity
);

-- One key signs, and one is announced.
create unique index signing_keys_phase_idx on signing_keys (phase) where phase <> 'retired';
