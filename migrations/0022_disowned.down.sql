drop index one_time_tokens_undo_email;
alter table users drop column devices_not_before;
alter table refresh_tokens drop column passkey_id;
alter table recovery_codes drop column created_at;
