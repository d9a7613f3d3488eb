alter table refresh_tokens drop constraint refresh_tokens_device_length;
update refresh_tokens set device = rtrim(left(device, 120)) where char_length(device) > 120;
alter table refresh_tokens add constraint refresh_tokens_device_length
    check (char_length(device) between 1 and 120) not valid;
