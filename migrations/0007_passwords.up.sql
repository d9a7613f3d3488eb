-- Passwords move into a table of their own, so that a user without one, and another scheme later, are possible.
--
-- Companions of the former release continue to run: they read and write users.password, and triggers copy each change to
-- the other side. A later release drops the column and the triggers, once no companion of the former one can run any more.
create table passwords (
    -- The password of a deleted user is deleted. This reference locks users against writes until the commit, so the copy
    -- below misses none. Nothing here needs a stronger lock of users: whoever writes there waits, and no two wait for
    -- each other.
    user_id    bigint      primary key references users (id) on delete cascade,
    hash       text        not null,
    -- Kind of the hash.
    scheme     text        not null,
    -- A login that compared the password before does not count. Hashing the same password anew does not change it.
    changed_at timestamptz not null,
    -- A bcrypt hash in its modular form, never a password: that form is 60 characters long.
    constraint passwords_hash_form check (scheme <> 'bcrypt' or (hash like '$2%' and octet_length(hash) = 60)),
    constraint passwords_scheme_form check (scheme ~ '^[a-z][a-z0-9_]{0,31}$')
);

insert into passwords (user_id, hash, scheme, changed_at)
select id, password, 'bcrypt', updated_at from users;

-- From the column to the table: a companion of the former release, and an import by SQL. The functions run with the rights
-- of their owner: an import's role need not have any on the other table.
create function copy_password_to_table() returns trigger
    language plpgsql security definer set search_path from current as $$
begin
    if new.password is null then
        -- An insert without one is followed by the row of passwords, or by none.
        if tg_op = 'UPDATE' then
            delete from passwords where user_id = new.id and scheme = 'bcrypt';
        end if;
    else
        -- Whoever writes the column need not have set updated_at, and a login that is being compared must not count.
        insert into passwords as own (user_id, hash, scheme, changed_at)
        values (new.id, new.password, 'bcrypt', clock_timestamp())
        on conflict (user_id) do update
            set hash = excluded.hash, scheme = excluded.scheme, changed_at = excluded.changed_at
            where own.hash <> excluded.hash;
    end if;
    return null;
end
$$;
create trigger users_password_copied after insert or update of password on users
    for each row execute function copy_password_to_table();

-- From the table to the column: a companion of the former release compares with it. A hash that it cannot read is none.
create function copy_password_to_column() returns trigger
    language plpgsql security definer set search_path from current as $$
declare
    owner constant bigint := case tg_op when 'DELETE' then old.user_id else new.user_id end;
    copy constant text := case when tg_op <> 'DELETE' and new.scheme = 'bcrypt' then new.hash end;
begin
    update users set password = copy where id = owner and password is distinct from copy;
    return null;
end
$$;
create trigger passwords_copied after insert or update of hash, scheme or delete on passwords
    for each row execute function copy_password_to_column();
