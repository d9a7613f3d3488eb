-- Without the rows, a password alone signs in again: nobody may lose a factor unasked.
do $$
begin
    if exists (select from factors) or exists (select from recovery_codes) then
        raise exception 'factors or recovery_codes has rows; delete them first if a password alone may sign these users in';
    end if;
end
$$;

drop table factor_challenges;
drop table pending_logins;
drop table recovery_codes;
drop table factors;
