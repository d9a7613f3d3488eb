drop trigger refresh_tokens_skip_lost_numbers on refresh_tokens;
drop trigger users_skip_lost_numbers on users;
drop function skip_lost_numbers();
drop function number_origin_here();
drop table number_origin;
