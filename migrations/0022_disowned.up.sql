-- What "it was not you" needs to know besides sessions: when recovery codes were made, and which passkey a session was proved by.
--
-- It only adds. Of older rows neither is known: such codes stay, and no passkey goes with such a session.
alter table recovery_codes add column created_at timestamptz;
alter table refresh_tokens add column passkey_id bigint;

-- Time of the last link that locked everybody out: a device that was known before is unknown from then on.
alter table users add column devices_not_before timestamptz;

-- Addresses that a link may give back: nobody else takes one meanwhile.
create index one_time_tokens_undo_email on one_time_tokens (lower(email collate "C")) where purpose = 'undo_email';
