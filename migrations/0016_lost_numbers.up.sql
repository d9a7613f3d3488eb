-- Numbers of users and sessions that are never given twice.
--
-- Tokens name both numbers, and outlive a write that an asynchronous failover or a restored backup has lost. Postgres writes
-- a sequence to the log once in 32 numbers. If that was lost too, the server gives the same numbers to others: their
-- requests would be those of the lost user, or rejected for a session that ended. So the first insertion on another server,
-- or on another timeline of it, skips more numbers than can have been lost.
create table number_origin (
    -- System identifier and timeline of the server that gave the last numbers.
    origin  text    not null,
    -- One row alone.
    is_only boolean not null default true primary key constraint number_origin_is_only check (is_only)
);

-- The search path of now: a restored dump has none while its rows are inserted.
create function number_origin_here() returns text language sql set search_path from current as $$
    -- The control file has the timeline only since the last checkpoint; the name of the current log has it at once.
    select system_identifier || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) from pg_control_system()
$$;

-- As its owner: the role of the companion may insert rows, and need not own the sequences.
create function skip_lost_numbers() returns trigger language plpgsql security definer set search_path from current as $$
begin
    if number_origin_here() = (select origin from number_origin) then
        return null;
    end if;
    -- One insertion skips the numbers, and those that wait for it find it done.
    perform from number_origin for update;
    if number_origin_here() <> (select origin from number_origin) then
        -- Chosen: as many are lost only with a standby that is minutes behind. User IDs may be 32 bits wide elsewhere.
        perform setval('users_id_seq', (select last_value from users_id_seq) + 100000);
        perform setval('refresh_tokens_id_seq', (select last_value from refresh_tokens_id_seq) + 1000000);
        update number_origin set origin = number_origin_here();
    end if;
    return null;
end
$$;

insert into number_origin (origin) values (number_origin_here());

-- Once for each statement, before its first number is taken.
create trigger users_skip_lost_numbers before insert on users execute function skip_lost_numbers();
create trigger refresh_tokens_skip_lost_numbers before insert on refresh_tokens execute function skip_lost_numbers();
