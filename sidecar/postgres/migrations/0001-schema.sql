-- Everything that Holdfast keeps in a database is in a schema of its own.
create schema holdfast;

-- What has been applied. The newest version is the version of the schema.
create table holdfast.migrations (
  version integer primary key check (version > 0),
  name text not null,
  applied_at timestamptz not null default now()
);
