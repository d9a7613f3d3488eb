drop trigger passwords_copied on passwords;
drop trigger users_password_copied on users;
drop function copy_password_to_column();
drop function copy_password_to_table();
-- A user without a password gets a hash that no password has: 22 and 31 dots are a salt and a digest that bcrypt never
-- makes of anything known.
update users set password = '$2b$12$' || repeat('.', 53) where password is null;
alter table users alter column password set not null;
drop table passwords;
