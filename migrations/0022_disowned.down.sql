alter table refresh_tokens drop column passkey_id;
alter table recovery_codes drop column created_at;
