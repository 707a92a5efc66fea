-- Fences of locks, and locks that this database grants.

-- Who may still write under a lock. Two rows a lock: `x` has the token of the newest exclusive holder, `s` that of the newest shared one. A new holder raises
-- its row by itself; a transaction of a holder locks the rows that concern it FOR SHARE and compares. So a raise waits for the open transactions of
-- holders that it shuts out, and all their later ones find it. A row that is gone fences everybody: to delete one is as good as to raise it.
create table holdfast.fences (
  lock text not null check (octet_length(lock) between 1 and 200),
  mode text not null check (mode in ('s', 'x')),
  -- 0: there was no such holder yet.
  value bigint not null,
  -- Day of the last raise: one that changes once a day leaves updates heap-only.
  touched_on date not null default current_date,
  primary key (lock, mode)
);
create index on holdfast.fences (touched_on) where mode = 'x';

-- Tokens of all locks, fenced or not.
create sequence holdfast.lock_tokens as bigint;

-- A token that was told must not be drawn again after a crash, whatever the role's own setting is.
create function holdfast.lock_commit_durably() returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('synchronous_commit') in ('off', 'local') then
    perform set_config('synchronous_commit', 'on', true);
  end if;
end
$$;

-- Makes the caller the newest holder, and returns its token. To be committed by itself: a rollback would lower the fence. Waits for transactions of older
-- holders that are open. `ticket`: names this raise to `clear_fence`; any number that others do not have.
create function holdfast.raise_fence(p_lock text, p_mode text, p_ticket integer) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  token bigint;
begin
  perform holdfast.lock_commit_durably();
  -- After a promotion tokens begin far above those that were lost.
  perform holdfast.lock_settling(0);
  perform pg_advisory_xact_lock_shared(1212563780, p_ticket);
  loop
    -- The token is drawn when the row is ours: who comes later has the larger one.
    perform from holdfast.fences f where f.lock = p_lock and f.mode = p_mode for no key update;
    if found then
      update holdfast.fences f
      set value = nextval('holdfast.lock_tokens'), touched_on = current_date
      where f.lock = p_lock and f.mode = p_mode
      returning f.value into token;
      return token;
    end if;
    -- Always in this order, so that two who make them cannot wait for each other.
    insert into holdfast.fences (lock, mode, value) values (p_lock, 's', 0), (p_lock, 'x', 0)
    on conflict do nothing;
    -- Each new lock takes old ones away. No lock is held for more than a day.
    with old as (
      select s.lock
      from holdfast.fences x
      join holdfast.fences s on s.lock = x.lock and s.mode = 's'
      where x.mode = 'x' and x.touched_on < current_date - 2 and s.touched_on < current_date - 2
      order by x.touched_on
      limit 4
      for update skip locked
    )
    delete from holdfast.fences f using old where f.lock = old.lock;
  end loop;
end
$$;

-- Fails with HF001 when one of these locks has a newer holder; else none can come before the end of this transaction. Names in byte order, each once;
-- `modes`: `x` for an exclusive holder, `s` for a shared one.
create function holdfast.check_fences(p_locks text[], p_modes text[], p_tokens bigint[]) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  s bigint;
  x bigint;
begin
  for i in 1 .. cardinality(p_locks) loop
    if p_modes[i] = 'x' then
      select f.value into s from holdfast.fences f
      where f.lock = p_locks[i] and f.mode = 's'
      for share;
    else
      s := 0;
    end if;
    select f.value into x from holdfast.fences f
    where f.lock = p_locks[i] and f.mode = 'x'
    for share;
    if (case when p_modes[i] = 'x' then x = p_tokens[i] and s < p_tokens[i] else x < p_tokens[i] end)
      is not true
    then
      raise exception using
        errcode = 'HF001',
        message = format('lock "%s" has a newer holder', p_locks[i]);
    end if;
  end loop;
end
$$;

-- Ends the sessions that keep a raise waiting, but for other raises. Returns how many. Runs with the rights of its caller: it ends sessions of the same role.
create function holdfast.clear_fence(p_ticket integer) returns integer
language sql volatile set search_path = pg_catalog, pg_temp as $$
  with raises as materialized (
    select l.pid, l.objid = p_ticket::oid as is_ours
    from pg_locks l
    where l.locktype = 'advisory' and l.objsubid = 2 and l.classid = 1212563780::oid
      and l.database = (select d.oid from pg_database d where d.datname = current_database())
  ), blocking as materialized (
    select distinct b.pid
    from raises r
    cross join lateral unnest(pg_blocking_pids(r.pid)) b (pid)
    -- One that waits for its turn behind another raise is kept by what keeps that one.
    where r.is_ours or exists (
      select from raises o where o.is_ours and r.pid = any (pg_blocking_pids(o.pid))
    )
  )
  select coalesce(sum(pg_terminate_backend(a.pid)::int), 0)::int
  from blocking b
  join pg_stat_activity a on a.pid = b.pid
  where a.backend_type = 'client backend' and a.pid not in (select r.pid from raises r)
$$;
