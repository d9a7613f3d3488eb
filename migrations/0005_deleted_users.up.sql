-- A user who is deleted by hand is refused at the edge as one who is deleted by the command.
--
-- The cascade of `refresh_tokens` ends the sessions, so no token can be had any more; the access tokens that are out
-- are refused by this revocation. A row that is put back later with its old number is let in some ten minutes after.
--
-- One day is the greatest lifetime that an access token may have (`ACCESS_TTL_SECONDS`), and 601 s are twice the
-- greatest allowance for clocks and a second, as `domain::revocation::user_until` adds them up; a test holds the two
-- equal. The time is the server's, as whoever deletes by hand has no other.
create function revoke_deleted_user() returns trigger language plpgsql set search_path from current as $$
declare
    -- No token of this user's is dated later than that, by whichever companion's clock.
    latest constant timestamptz := clock_timestamp() + interval '601 seconds';
begin
    insert into revocations (user_id, not_before, expires_at) values (old.id, latest, latest + interval '1 day');
    return null;
end
$$;

-- Not for `truncate`, which may give the numbers anew: it has no effect at the edge (docs/guide/users.md).
create trigger users_deleted after delete on users for each row execute function revoke_deleted_user();
