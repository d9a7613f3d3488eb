drop table oldest_version;
