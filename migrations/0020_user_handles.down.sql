-- Without the handles, passkeys sign nobody in: nobody may lose one unasked.
do $$
begin
    if exists (select from factors where kind = 'passkey') then
        raise exception 'factors has passkeys; delete them first if their users may lose them';
    end if;
end
$$;

drop index factor_challenges_session_id;
alter table factors drop column rp_id;
drop table user_handles;
