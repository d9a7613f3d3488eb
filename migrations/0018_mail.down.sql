-- Mails that wait are not sent, and links that were sent are of no use any more.
drop table outbox;
drop table one_time_tokens;
alter table users drop column email_verified_at;
