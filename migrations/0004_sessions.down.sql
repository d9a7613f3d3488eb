alter table refresh_tokens drop column address_prefix;
alter table refresh_tokens drop column device;
alter table refresh_tokens drop column superseded;
