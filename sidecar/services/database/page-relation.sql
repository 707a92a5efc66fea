-- What a page has to know of the table or view that it shows: one row for each column, in order; none when there is no such relation.
-- $1: its schema, NULL to go by the search path; $2: its name. Both are compared as they are.
-- It calls no function but replace(), so that it counts as a read and may share a connection.
select n.nspname, c.relname, a.attname, a.attnum, i.indkey, i.indnkeyatts
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
-- Outer, because a table may be without columns.
left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_catalog.pg_index i on i.indrelid = c.oid and i.indisprimary
-- Text, because a longer text cast to `name` is cut off and might then be equal.
where c.relname = $2::text
  -- Table, partitioned table, view, materialized view, foreign table.
  and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and (
    n.nspname = $1::text
    -- A regclass is printed without its schema when the search path leads to it.
    or $1::text is null
    and c.oid::pg_catalog.regclass::text in (c.relname, '"' || replace(c.relname, '"', '""') || '"')
  )
order by a.attnum
