-- What happened to accounts and sessions, written in the transaction in which it happened.
--
-- Rows are only ever added; `reported` alone changes, once. Nothing here names a person but by number, and no
-- password, token or address is ever part of it.
create table audit_log (
    id            bigint generated always as identity primary key,
    at            timestamptz not null,
    event         text        not null constraint audit_log_event_form check (event ~ '^[a-z][a-z_]{0,63}$'),
    -- Who did it: a user for themselves, an administrator, an operator at the command line, the service by itself, or
    -- somebody who is not signed in.
    actor         text        not null constraint audit_log_actor_known
                              check (actor in ('user', 'admin', 'command_line', 'system', 'stranger')),
    -- Whose account or session it was. No foreign keys: the log outlives what it speaks of.
    user_id       bigint,
    session_id    bigint,
    -- The request that did it, and the network that it came from.
    request_id    text        constraint audit_log_request_id_length check (char_length(request_id) between 1 and 128),
    client_prefix text        constraint audit_log_client_prefix_length check (char_length(client_prefix) between 1 and 49),
    -- More of it, by event.
    details       jsonb       not null default '{}' constraint audit_log_details_object check (jsonb_typeof(details) = 'object'),
    -- A running service has written it into its own log and counted it. Commands write rows and have neither.
    reported      boolean     not null default false
);

-- What is to be reported: next to nothing at any time.
create index audit_log_unreported_idx on audit_log (id) where not reported;
