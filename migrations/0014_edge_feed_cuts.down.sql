drop table edge_feed_cuts;
