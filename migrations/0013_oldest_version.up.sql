-- Oldest version that may run with this schema, so that a newer schema does not stop the companions that still run.
--
-- A version is known by its last migration. A migration that only adds leaves the row as it is: older companions go on,
-- during a rolling upgrade and after a rollback. One that takes away what a version needs comes a release after the last
-- version that needs it, and sets the row to the first version that does not: `update oldest_version set migration = …`.
create table oldest_version (
    migration bigint  not null,
    -- One row alone.
    is_only   boolean not null default true primary key constraint oldest_version_is_only check (is_only)
);
insert into oldest_version (migration) values (13);
