alter table users drop column tokens_not_before;
drop table edge_feed_history;
drop table revocations;
