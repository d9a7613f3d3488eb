drop table bans;
drop table attempts;
