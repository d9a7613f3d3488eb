-- What a session remembers of the tokens it has replaced, and what its user is shown of it.

-- When the generations before the live one were replaced, the latest first: it tells a request that crossed with
-- another tab's from a stolen token. Only times within the grace matter, so the service keeps a few.
alter table refresh_tokens add column superseded timestamptz[] not null default '{}'
    constraint refresh_tokens_superseded_bounded check (cardinality(superseded) <= 16);

-- Where it was started, as the client and the proxy before us said: nothing is decided by it.
alter table refresh_tokens add column device text
    constraint refresh_tokens_device_length check (char_length(device) between 1 and 120);
alter table refresh_tokens add column address_prefix text
    constraint refresh_tokens_address_prefix_length check (char_length(address_prefix) between 1 and 49);
