-- The cleaning of attempts looks at full buckets, and at failures of accounts that do not exist after a day: one index for each,
-- so that it does not read the failures of a day anew each minute.
drop index attempts_tat;
create index attempts_full_idx on attempts (tat) where failures = 0;
create index attempts_failed_idx on attempts (tat) where failures > 0 and user_id is null;

-- What a ban rejects is its scope.
alter table bans rename column door to scope;
alter table bans rename constraint bans_door_known to bans_scope_known;
