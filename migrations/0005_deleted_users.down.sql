drop trigger users_deleted on users;
drop function revoke_deleted_user();
