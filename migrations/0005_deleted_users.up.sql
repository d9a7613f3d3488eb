-- A user who is deleted by hand is refused at the edge as one who is deleted by the command.
--
-- The cascade of `refresh_tokens` ends the sessions, so no token can be had any more; the access tokens that are out
-- are refused by this revocation. A user's number is never given again, so no token of it will ever be good: what was
-- dated up to the last moment at which any of them can still be valid is refused.
--
-- One day is the greatest lifetime that an access token may have (`ACCESS_TTL_SECONDS`), and 601 s are twice the
-- greatest allowance for clocks and a second, as `domain::revocation::user_until` adds them up; a test holds the two
-- equal. The time is the server's, as whoever deletes by hand has no other.
create function revoke_deleted_user() returns trigger language plpgsql set search_path from current as $$
declare
    until constant timestamptz := clock_timestamp() + interval '1 day 601 seconds';
begin
    insert into revocations (user_id, not_before, expires_at) values (old.id, until, until);
    return null;
end
$$;

-- Not for `truncate`, which may give the numbers anew: it has no effect at the edge (docs/guide/users.md).
create trigger users_deleted after delete on users for each row execute function revoke_deleted_user();
