-- Sessions that have added factors and recovery codes, so that "this wasn't me" takes away what this session has added, and nothing
-- else: whoever reads the mails of a user must not remove the second factors of other sessions.
--
-- It only adds. What an older companion adds has no session, and stays.
alter table factors add column session_id bigint;
alter table recovery_codes add column session_id bigint;

-- Session that a mail tells of, and passkey that has begun it.
alter table one_time_tokens
    add column session_id bigint,
    add column factor_id  bigint;

-- From now on, recovery codes without a factor demand one of them at a sign-in: they stay when "this wasn't me" takes the last
-- factor. Codes beside nothing but passkeys that browsers have created by themselves demand nothing, and replace nothing.
delete from recovery_codes
where not exists (select from factors where factors.user_id = recovery_codes.user_id and is_demanded);
