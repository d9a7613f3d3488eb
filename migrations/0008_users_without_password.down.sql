-- A user without a password gets a hash in the right form that matches none: dots are its salt and its digest.
update users set password = '$2b$12$' || repeat('.', 53) where password is null;
alter table users alter column password set not null;
