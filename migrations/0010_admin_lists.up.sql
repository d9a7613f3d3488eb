-- Indexes of the lists that administrators search and page through. Every list is ordered by an index, so that a page costs
-- the same with five million users as with fifty thousand.
--
-- While they are made, registrations and changes of users wait, and from the first of audit_log on logins too: 7 s and 13 s
-- for five million rows each (Postgres 15, fsync off, both cores shared). `if not exists`: where that is too long, make them
-- beforehand with `create index concurrently`, under these names.

-- Search by the beginning of a last name, in order. Compared byte by byte, as a range of beginnings needs; addresses have
-- such an index already.
create index if not exists users_last_name_idx on users ((lower(last_name) collate "C"), id);
-- Users of a role, and the check that an administrator is left.
create index if not exists users_role_idx on users (role, id);
-- Disabled users: few.
create index if not exists users_disabled_idx on users (id) where disabled_at is not null;

-- The log, newest first, and its parts by time.
create index if not exists audit_log_at_idx on audit_log (at, id);
-- The log of a user.
create index if not exists audit_log_user_id_idx on audit_log (user_id, at, id);
-- Rare events and actors among millions of logins.
create index if not exists audit_log_event_idx on audit_log (event, at, id);
create index if not exists audit_log_actor_idx on audit_log (actor, at, id);
