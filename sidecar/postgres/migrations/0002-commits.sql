-- What became of work that carried a commit_id: its transaction inserts the row, so the row is there if and only if it was committed.
-- Rows are kept: whoever asks after theirs was deleted would be told that nothing was committed. Delete those that nobody will ask for any more.
create table holdfast.commits (
  commit_id text primary key check (octet_length(commit_id) between 1 and 128),
  -- Somebody asked before it was committed, and was told that it never will be.
  barred boolean not null default false,
  at timestamptz not null default now()
);

-- Every role that may work in this database may leave a mark of its work.
grant usage on schema holdfast to public;
grant select, insert on holdfast.commits to public;
