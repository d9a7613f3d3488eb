-- Passwords move into a table of their own, so that a user without one, and another scheme later, are possible.
--
-- Companions of the former release go on: they read and write users.password, and triggers keep the two alike. A later
-- release drops the column and the triggers, once no companion of the former one can run any more.
create table passwords (
    -- A user who is deleted takes the password along.
    user_id    bigint      primary key references users (id) on delete cascade,
    hash       text        not null,
    -- How the hash was made.
    scheme     text        not null,
    -- A login that was compared before this moment does not count any more. Hashing the same password anew does not
    -- change it.
    changed_at timestamptz not null,
    -- A bcrypt hash in its modular form, never a password: that form is 60 characters long.
    constraint passwords_hash_form check (scheme <> 'bcrypt' or (hash like '$2%' and octet_length(hash) = 60)),
    constraint passwords_scheme_form check (scheme ~ '^[a-z][a-z0-9_]{0,31}$')
);

insert into passwords (user_id, hash, scheme, changed_at)
select id, password, 'bcrypt', updated_at from users;

alter table users alter column password drop not null;

-- From the column to the table: a companion of the former release, and users imported by SQL.
create function copy_password_to_table() returns trigger language plpgsql set search_path from current as $$
begin
    insert into passwords as own (user_id, hash, scheme, changed_at)
    -- Whoever writes the column need not have told when, and a login that is being compared must not count.
    values (new.id, new.password, 'bcrypt', clock_timestamp())
    on conflict (user_id) do update set hash = excluded.hash, scheme = excluded.scheme, changed_at = excluded.changed_at
        where own.hash <> excluded.hash;
    return null;
end
$$;
create trigger users_password_copied after insert or update of password on users
    for each row when (new.password is not null) execute function copy_password_to_table();

-- From the table to the column: a hash that a companion of the former release can compare with.
create function copy_password_to_column() returns trigger language plpgsql set search_path from current as $$
begin
    update users set password = new.hash where id = new.user_id and password is distinct from new.hash;
    return null;
end
$$;
create trigger passwords_copied after insert or update of hash on passwords
    for each row when (new.scheme = 'bcrypt') execute function copy_password_to_column();
