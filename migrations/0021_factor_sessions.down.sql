-- Older companions demand no recovery code of a user without a factor: nobody may lose the second step unasked.
do $$
begin
    if exists (select from recovery_codes
               where not exists (select from factors where factors.user_id = recovery_codes.user_id and is_demanded)) then
        raise exception 'recovery_codes has rows of users without a factor; delete them first if a password alone may sign these users in';
    end if;
end
$$;

alter table one_time_tokens drop column session_id, drop column factor_id;
alter table recovery_codes drop column session_id;
alter table factors drop column session_id;
