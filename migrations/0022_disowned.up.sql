-- What "this wasn't me" needs to know besides sessions: when recovery codes were made, and which passkey has begun a session.
--
-- It only adds. Of older rows neither is known: such codes stay, and no passkey goes with such a session.
alter table recovery_codes add column created_at timestamptz;
alter table refresh_tokens add column passkey_id bigint;
