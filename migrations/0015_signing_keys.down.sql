-- Without its rows, nobody can sign in until there are other keys.
do $$
begin
    if exists (select from signing_keys) then
        raise exception 'signing_keys has keys; delete its rows first if no companion needs them any more';
    end if;
end
$$;

drop table signing_keys;
