alter table bans rename constraint bans_scope_known to bans_door_known;
alter table bans rename column scope to door;

drop index attempts_failed_idx;
drop index attempts_full_idx;
create index attempts_tat on attempts (tat) where failures = 0 or user_id is null;
