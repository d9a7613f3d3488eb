drop index audit_log_actor_idx;
drop index audit_log_event_idx;
drop index audit_log_user_id_idx;
drop index audit_log_at_idx;
drop index users_disabled_idx;
drop index users_role_idx;
drop index users_last_name_idx;
