-- Locks that this database grants. Each function is a transaction of its own, and those for one lock take turns. Times are of the server's clock; its session
-- may be gone, the sidecar stopped: whoever asks next deals with that.

-- Who holds what: an owner, through one grant or more.
create table holdfast.lock_holders (
  name text collate "C" not null check (octet_length(name) between 1 and 200),
  owner text collate "C" not null check (octet_length(owner) <= 200),
  mode text not null check (mode in ('exclusive', 'shared', 'semaphore')),
  token bigint not null,
  expires_at timestamptz not null,
  -- Of its grants; and of the sidecars that they were granted through, in the same order.
  leases text[] not null,
  channels text[] not null,
  primary key (name, owner)
);
create index on holdfast.lock_holders (expires_at);

create sequence holdfast.lock_places as bigint;

-- Who waits for what, by place.
create table holdfast.lock_waiters (
  name text collate "C" not null,
  place bigint not null,
  lease text not null,
  owner text not null,
  mode text not null,
  permits integer not null,
  channel text not null,
  -- Of the session in which its sidecar listens: that holds the advisory lock (1212563781, ticket) as long as it is there.
  ticket integer not null,
  -- Then it asks again by itself, if it is the first one.
  looks_at timestamptz not null,
  -- It was woken, and so long there is room for it.
  woken_until timestamptz,
  -- Places are not unique after a crash.
  primary key (name, place, lease),
  unique (name, lease)
);
create index on holdfast.lock_waiters (looks_at);
create index on holdfast.lock_waiters (name, woken_until) where woken_until is not null;

-- In which history of the server locks were granted. In another one (a promoted standby) grants may be missing.
create table holdfast.lock_life (
  is_single boolean primary key default true check (is_single),
  timeline text,
  -- Of this history, when there was another one before.
  since timestamptz,
  longest_ttl_ms bigint not null default 0
);
insert into holdfast.lock_life default values;

-- Waits for those who work on this lock just now.
create function holdfast.lock_turn(p_name text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
  -- Elsewhere what follows would not see what the last one has done.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using
      errcode = 'HF002',
      message = 'locks need default_transaction_isolation = ''read committed''';
  end if;
  perform pg_advisory_xact_lock(1212563782, hashtext(p_name));
end
$$;

-- Milliseconds until locks may be granted: not before all that may have been granted in an earlier history is over. 0: now.
create function holdfast.lock_settling(p_longest_ttl_ms bigint) returns bigint
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
  timeline_now text := substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
  life holdfast.lock_life;
begin
  select * into life from holdfast.lock_life;
  if life.timeline is distinct from timeline_now or life.since > clock_timestamp() then
    perform holdfast.lock_commit_durably();
    select * into life from holdfast.lock_life for update;
    if life.timeline is distinct from timeline_now and life.timeline is not null then
      -- Tokens that are lost with the old history are not drawn again.
      perform setval('holdfast.lock_tokens', nextval('holdfast.lock_tokens') + 4294967296);
      life.since := clock_timestamp();
    end if;
    update holdfast.lock_life
    set timeline = timeline_now,
      since = case when life.since > clock_timestamp() then clock_timestamp() else life.since end
    returning * into life;
  end if;
  if p_longest_ttl_ms > life.longest_ttl_ms then
    update holdfast.lock_life l set longest_ttl_ms = greatest(l.longest_ttl_ms, p_longest_ttl_ms)
    returning * into life;
  end if;
  -- A thousandth more, as for each holder.
  return coalesce(greatest(0, ceil(
    life.longest_ttl_ms * 1.001 - extract(epoch from clock_timestamp() - life.since) * 1000
  )), 0)::bigint;
end
$$;

-- Takes those away whose time is over. One that is being renewed just now stays.
create function holdfast.lock_prune(p_name text) returns void
language sql volatile set search_path = pg_catalog, pg_temp as $$
  delete from holdfast.lock_holders h
  using (
    select o.name, o.owner from holdfast.lock_holders o
    where o.name = p_name and o.expires_at <= clock_timestamp()
    for update skip locked
  ) over_by_now
  where h.name = over_by_now.name and h.owner = over_by_now.owner
$$;

-- Whether one more may hold it beside so many of that mode.
create function holdfast.lock_fits(p_held bigint, p_held_mode text, p_mode text, p_permits integer)
returns boolean
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select p_held = 0
    or (p_mode = p_held_mode and (p_mode = 'shared' or (p_mode = 'semaphore' and p_held < p_permits)))
$$;

-- Whether the sidecar of a waiter listens no more: nobody else has the lock that its session holds.
create function holdfast.lock_waiter_gone(p_ticket integer) returns boolean
language sql volatile set search_path = pg_catalog, pg_temp as $$
  select pg_try_advisory_xact_lock_shared(1212563781, p_ticket)
$$;

-- Wakes from the front of the queue while there is room, or until it is the turn of `lease`: that is the result. Whoever does not come within a second after
-- it was woken has lost its place; so has, at once, one whose sidecar is gone.
create function holdfast.lock_advance(p_name text, p_lease text) returns boolean
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
  held bigint;
  held_mode text;
  kept bigint;
  kept_mode text;
  w holdfast.lock_waiters;
begin
  delete from holdfast.lock_waiters q
  where q.name = p_name and q.woken_until <= clock_timestamp();
  -- Room is kept for it, even if somebody has found a place before it meanwhile.
  if p_lease is not null and exists (
    select from holdfast.lock_waiters q
    where q.name = p_name and q.woken_until is not null and q.lease = p_lease
  ) then
    return true;
  end if;
  select count(*), min(h.mode) into held, held_mode
  from holdfast.lock_holders h where h.name = p_name;
  select count(*), min(q.mode) into kept, kept_mode
  from holdfast.lock_waiters q where q.name = p_name and q.woken_until is not null;
  held := held + kept;
  held_mode := coalesce(held_mode, kept_mode);
  for w in
    select * from holdfast.lock_waiters q
    where q.name = p_name and q.woken_until is null
    order by q.place, q.lease
  loop
    if not holdfast.lock_fits(held, held_mode, w.mode, w.permits) then
      return false;
    elsif w.lease = p_lease then
      return true;
    elsif holdfast.lock_waiter_gone(w.ticket) then
      delete from holdfast.lock_waiters q where q.name = p_name and q.lease = w.lease;
      continue;
    end if;
    update holdfast.lock_waiters q
    set woken_until = clock_timestamp() + interval '1 second'
    where q.name = p_name and q.lease = w.lease;
    perform pg_notify(w.channel, 'w ' || w.lease || ' ' || p_name);
    held := held + 1;
    held_mode := w.mode;
  end loop;
  return false;
end
$$;

-- Has the first one that waits look in time, if its own time to look is later than the end of those who hold the lock now. Returns when somebody has to look
-- whether those who were woken have come, in ms; 0: there are none.
create function holdfast.lock_remind(p_name text) returns bigint
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
  ends timestamptz := (select min(h.expires_at) from holdfast.lock_holders h where h.name = p_name);
  w holdfast.lock_waiters;
begin
  for w in
    select * from holdfast.lock_waiters q
    where q.name = p_name and q.woken_until is null
    order by q.place, q.lease
  loop
    exit when ends is null or w.looks_at <= ends;
    if not holdfast.lock_waiter_gone(w.ticket) then
      update holdfast.lock_waiters q set looks_at = ends where q.name = p_name and q.lease = w.lease;
      perform pg_notify(
        w.channel,
        'n ' || greatest(1, ceil(extract(epoch from ends - clock_timestamp()) * 1000)) || ' ' || p_name
      );
      exit;
    end if;
    delete from holdfast.lock_waiters q where q.name = p_name and q.lease = w.lease;
  end loop;
  return coalesce((
    select greatest(1, ceil(extract(epoch from min(q.woken_until) - clock_timestamp()) * 1000))
    from holdfast.lock_waiters q where q.name = p_name and q.woken_until is not null
    having count(*) > 0
  ), 0)::bigint;
end
$$;

-- Takes a grant from an owner. Whether it had that.
create function holdfast.lock_drop(p_name text, p_owner text, p_lease text) returns boolean
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
  h holdfast.lock_holders;
  at integer;
begin
  select * into h from holdfast.lock_holders o where o.name = p_name and o.owner = p_owner for update;
  at := array_position(h.leases, p_lease);
  if at is null then
    return false;
  elsif cardinality(h.leases) = 1 then
    delete from holdfast.lock_holders o where o.name = p_name and o.owner = p_owner;
  else
    update holdfast.lock_holders o
    set leases = h.leases[:at - 1] || h.leases[at + 1:],
      channels = h.channels[:at - 1] || h.channels[at + 1:]
    where o.name = p_name and o.owner = p_owner;
  end if;
  return true;
end
$$;

-- Takes away what is left of locks that nobody asks for any more.
create function holdfast.lock_sweep() returns void
language sql volatile set search_path = pg_catalog, pg_temp as $$
  with holders as (
    delete from holdfast.lock_holders h
    using (
      select o.name, o.owner from holdfast.lock_holders o
      where o.expires_at < clock_timestamp() - interval '1 minute'
      order by o.expires_at
      limit 100
      for update skip locked
    ) old
    where h.name = old.name and h.owner = old.owner
  )
  delete from holdfast.lock_waiters q
  using (
    select o.name, o.lease from holdfast.lock_waiters o
    where o.looks_at < clock_timestamp() - interval '1 minute'
      and holdfast.lock_waiter_gone(o.ticket)
    order by o.looks_at
    limit 100
    for update skip locked
  ) old
  where q.name = old.name and q.lease = old.lease
$$;
