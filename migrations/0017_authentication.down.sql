alter table refresh_tokens drop column authentication_methods;
alter table refresh_tokens drop column authenticated_at;
