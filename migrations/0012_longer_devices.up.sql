-- What browsers say of themselves is longer than 120 characters, and the name of the browser is near the end of it.
--
-- Companions of the former release store less. Every stored text is short enough, so none is read for the check.
alter table refresh_tokens drop constraint refresh_tokens_device_length;
alter table refresh_tokens add constraint refresh_tokens_device_length
    check (char_length(device) between 1 and 256) not valid;
