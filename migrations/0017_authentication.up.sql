-- When the user of a session last proved who they are, and by which methods: a rule can demand a fresh proof, or another
-- factor. A refresh keeps both, and only a fresh proof replaces them.
--
-- Companions of the former release insert and refresh without them. What they do not know is the start of the session,
-- which a password was compared for.
alter table refresh_tokens add column authenticated_at timestamptz;
-- Names of RFC 8176.
alter table refresh_tokens add column authentication_methods text[] not null default '{pwd}';
-- Every row has the default, so none is read for the check.
alter table refresh_tokens add constraint refresh_tokens_authentication_methods_bounded
    check (cardinality(authentication_methods) between 1 and 8) not valid;
