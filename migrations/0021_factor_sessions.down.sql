alter table one_time_tokens drop column session_id, drop column factor_id;
alter table recovery_codes drop column session_id;
alter table factors drop column session_id;
