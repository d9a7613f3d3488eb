-- Locks users before passwords, as everything does that changes both: no deadlock.
drop trigger users_password_copied on users;
drop trigger passwords_copied on passwords;
drop function copy_password_to_column();
drop function copy_password_to_table();
drop table passwords;
