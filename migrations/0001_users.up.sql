-- People who can sign in.
--
-- Times are given by the service, whose clock is an argument, so no column defaults to now().
create table users (
    id          bigint generated always as identity primary key,
    first_name  text        not null constraint users_first_name_length check (char_length(first_name) between 1 and 100),
    last_name   text        not null constraint users_last_name_length check (char_length(last_name) between 1 and 100),
    -- 254 bytes is the longest address that mail can be sent to (RFC 5321 §4.5.3.1.3, less the angle brackets).
    email       text        not null constraint users_email_length check (octet_length(email) between 3 and 254),
    -- A bcrypt hash in its modular form, never a password: that form is 60 characters long.
    password    text        not null constraint users_password_is_a_hash check (password like '$2%' and octet_length(password) = 60),
    -- The form that the edge accepts; a role that it would refuse must not get into a token.
    role        text        not null default 'customer' constraint users_role_form check (role ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    -- Set: may not sign in, and has no sessions.
    disabled_at timestamptz,
    created_at  timestamptz not null,
    updated_at  timestamptz not null
);

-- One account an address, without regard to case. lower() under the collation "C" touches A to Z alone, the same
-- letters that the service folds; a locale's own rules would merge addresses that differ (CVE-2019-19844).
-- The service maps a violation of this index by its name to "this e-mail is taken".
create unique index users_email_key on users (lower(email collate "C"));
