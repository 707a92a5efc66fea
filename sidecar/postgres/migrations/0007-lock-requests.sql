-- What sidecars ask of the locks that this database grants: each is one request.

-- Grants the lock, or lets the request wait: at the end of the queue, or at the place that it had. Who was woken, or wants to know, asks the same again:
-- nothing is granted twice to a lease. `outcome`: granted; queued; held (and it does not wait); settling; other (the owner holds it in another mode);
-- full (the owner holds it too often).
create function holdfast.lock_acquire(
  p_name text, p_mode text, p_permits integer, p_lease text, p_owner text, p_ttl_ms bigint,
  p_channel text, p_ticket integer, p_waits boolean, p_place bigint, p_longest_ttl_ms bigint,
  out outcome text, out token bigint, out place bigint,
  -- Until asking again may be of use.
  out look_in_ms bigint, out waiting bigint,
  -- Until somebody has to look whether others that were woken have come; 0: never.
  out pending_ms bigint
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  h holdfast.lock_holders;
  settling_ms bigint;
  held bigint;
  held_mode text;
  is_queued boolean;
  has_queue boolean;
  is_turn boolean;
  ends timestamptz;
begin
  perform holdfast.lock_turn(p_name);
  settling_ms := holdfast.lock_settling(greatest(p_ttl_ms, p_longest_ttl_ms));
  -- A thousandth more, for clocks that do not run at the same speed.
  ends := clock_timestamp() + p_ttl_ms * 1.001 * interval '1 millisecond';
  token := 0;
  waiting := 0;
  pending_ms := 0;
  look_in_ms := 0;
  perform holdfast.lock_prune(p_name);

  select * into h from holdfast.lock_holders o where o.name = p_name and o.owner = p_owner;
  if found and settling_ms = 0 then
    if h.mode <> p_mode then
      outcome := 'other';
    elsif p_lease <> all (h.leases) and cardinality(h.leases) >= 1000 then
      outcome := 'full';
    else
      outcome := 'granted';
      token := h.token;
      perform holdfast.lock_commit_durably();
      if p_lease <> all (h.leases) then
        h.leases := h.leases || p_lease;
        h.channels := h.channels || p_channel;
      end if;
      update holdfast.lock_holders o
      set leases = h.leases, channels = h.channels, expires_at = greatest(o.expires_at, ends)
      where o.name = p_name and o.owner = p_owner;
    end if;
    -- It may have been waiting.
    delete from holdfast.lock_waiters q where q.name = p_name and q.lease = p_lease;
    if found then
      perform holdfast.lock_advance(p_name, null);
      pending_ms := holdfast.lock_remind(p_name);
    end if;
    return;
  end if;

  has_queue := exists (select from holdfast.lock_waiters q where q.name = p_name);
  is_queued := false;
  if p_waits and (has_queue or settling_ms > 0) then
    insert into holdfast.lock_waiters as q
      (name, place, lease, owner, mode, permits, channel, ticket, looks_at)
    values (
      p_name, coalesce(p_place, nextval('holdfast.lock_places')), p_lease, p_owner, p_mode, p_permits,
      p_channel, p_ticket, 'infinity'
    )
    on conflict (name, lease) do update
    set ticket = p_ticket,
      -- Too late is as if it had never been woken.
      woken_until = case when q.woken_until > clock_timestamp() then q.woken_until end
    returning q.place into place;
    is_queued := true;
  end if;
  if settling_ms > 0 then
    outcome := 'settling';
    look_in_ms := settling_ms;
    return;
  end if;
  is_turn := has_queue and holdfast.lock_advance(p_name, case when p_waits then p_lease end);
  if not is_turn and not is_queued then
    select count(*), min(o.mode) into held, held_mode
    from holdfast.lock_holders o where o.name = p_name;
    is_turn := holdfast.lock_fits(held, held_mode, p_mode, p_permits)
      and (not has_queue or not exists (select from holdfast.lock_waiters q where q.name = p_name));
  end if;

  if is_turn then
    perform holdfast.lock_commit_durably();
    outcome := 'granted';
    if p_mode <> 'semaphore' then
      token := nextval('holdfast.lock_tokens');
    end if;
    insert into holdfast.lock_holders (name, owner, mode, token, expires_at, leases, channels)
    values (p_name, p_owner, p_mode, token, ends, array[p_lease], array[p_channel]);
    if has_queue then
      delete from holdfast.lock_waiters q where q.name = p_name and q.lease = p_lease;
      -- There may be room for more.
      perform holdfast.lock_advance(p_name, null);
      -- Others of the same owner need not wait any longer.
      if p_owner <> p_lease then
        perform pg_notify(q.channel, 'w ' || q.lease || ' ' || p_name)
        from holdfast.lock_waiters q
        where q.name = p_name and q.owner = p_owner and q.woken_until is null;
      end if;
      pending_ms := holdfast.lock_remind(p_name);
    end if;
    if random() < 0.02 then
      perform holdfast.lock_sweep();
    end if;
    return;
  end if;

  if p_waits and not is_queued then
    place := coalesce(p_place, nextval('holdfast.lock_places'));
    insert into holdfast.lock_waiters
      (name, place, lease, owner, mode, permits, channel, ticket, looks_at)
    values (p_name, place, p_lease, p_owner, p_mode, p_permits, p_channel, p_ticket, 'infinity');
  end if;
  outcome := case when p_waits then 'queued' else 'held' end;
  select least(
    (select min(o.expires_at) from holdfast.lock_holders o where o.name = p_name),
    (select min(q.woken_until) from holdfast.lock_waiters q where q.name = p_name)
  ) into ends;
  look_in_ms := greatest(1, ceil(extract(epoch from ends - clock_timestamp()) * 1000));
  if p_waits then
    update holdfast.lock_waiters q set looks_at = ends
    where q.name = p_name and q.lease = p_lease;
  end if;
  select count(*) into waiting from holdfast.lock_waiters q
  where q.name = p_name and q.lease <> p_lease;
end
$$;

-- Renews all of these at once; of each whether it was held.
create function holdfast.lock_renew(
  p_names text[], p_owners text[], p_leases text[], p_ttls_ms bigint[]
) returns boolean[]
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  held boolean[] := array_fill(false, array[cardinality(p_names)]);
  c record;
begin
  perform holdfast.lock_commit_durably();
  -- In one order for all.
  for c in
    select * from unnest(p_names, p_owners, p_leases, p_ttls_ms) with ordinality
      as a (name, owner, lease, ttl_ms, at)
    order by a.name collate "C", a.owner collate "C"
  loop
    update holdfast.lock_holders h
    set expires_at = greatest(h.expires_at, clock_timestamp() + c.ttl_ms * 1.001 * interval '1 millisecond')
    where h.name = c.name and h.owner = c.owner and c.lease = any (h.leases)
      and h.expires_at > clock_timestamp();
    held[c.at] := found;
  end loop;
  return held;
end
$$;

-- Lets those go on who can, and returns when somebody has to look again, in ms; 0: never.
create function holdfast.lock_look(p_name text) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform holdfast.lock_turn(p_name);
  if not exists (select from holdfast.lock_waiters q where q.name = p_name)
    or holdfast.lock_settling(0) > 0
  then
    return 0;
  end if;
  perform holdfast.lock_prune(p_name);
  perform holdfast.lock_advance(p_name, null);
  return holdfast.lock_remind(p_name);
end
$$;

-- Gives a grant back. Need not be on disk: should the server forget it, the lock is free when its time to live is over.
create function holdfast.lock_release(
  p_name text, p_owner text, p_lease text, out held boolean, out pending_ms bigint
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  perform holdfast.lock_turn(p_name);
  perform holdfast.lock_prune(p_name);
  held := holdfast.lock_drop(p_name, p_owner, p_lease);
  pending_ms := holdfast.lock_look(p_name);
end
$$;

-- Whoever asked has gone: takes the request out of the queue, and back what it was granted or about to be.
create function holdfast.lock_cancel(p_name text, p_lease text) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  perform holdfast.lock_turn(p_name);
  delete from holdfast.lock_waiters q where q.name = p_name and q.lease = p_lease;
  perform holdfast.lock_drop(p_name, h.owner, p_lease)
  from holdfast.lock_holders h
  where h.name = p_name and p_lease = any (h.leases);
  return holdfast.lock_look(p_name);
end
$$;

-- Takes the lock from all who hold it, and tells their sidecars. How many owners held it.
create function holdfast.lock_force(p_name text, out holders bigint, out pending_ms bigint)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform holdfast.lock_commit_durably();
  perform holdfast.lock_turn(p_name);
  perform holdfast.lock_prune(p_name);
  with taken as (
    delete from holdfast.lock_holders h where h.name = p_name returning h.channels
  ), told as (
    select pg_notify(c.channel, 'f ' || p_name)
    from (select distinct unnest(t.channels) from taken t) c (channel)
  )
  select (select count(*) from taken) + 0 * (select count(*) from told) into holders;
  pending_ms := holdfast.lock_look(p_name);
end
$$;

-- Locks that are held or waited for, in byte order, with a row for each holder. Without the thousandth more.
create function holdfast.lock_list(p_prefix text, p_limit integer)
returns table (
  name text, mode text, waiting bigint, owner text, token bigint, expires_in_ms bigint, grants integer
)
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
  with there as materialized (
    select l.objid::bigint as ticket from pg_locks l
    where l.locktype = 'advisory' and l.objsubid = 2 and l.classid = 1212563781::oid
      and l.database = (select d.oid from pg_database d where d.datname = current_database())
      and l.mode = 'ExclusiveLock' and l.granted
  ), holders as (
    select h.* from holdfast.lock_holders h
    where h.name >= p_prefix and starts_with(h.name, p_prefix) and h.expires_at > clock_timestamp()
  ), waiters as (
    select q.* from holdfast.lock_waiters q
    where q.name >= p_prefix and starts_with(q.name, p_prefix)
      and (q.woken_until is null or q.woken_until > clock_timestamp())
      and q.ticket in (select t.ticket from there t)
  ), names as (
    select n.name from (select h.name from holders h union select q.name from waiters q) n
    order by n.name
    limit p_limit
  )
  select n.name, coalesce(h.mode, f.mode), f.waiting,
    case when h.owner <> h.leases[1] then h.owner else '' end, h.token,
    floor(extract(epoch from h.expires_at - clock_timestamp()) * 1000 / 1.001)::bigint,
    cardinality(h.leases)
  from names n
  left join holders h on h.name = n.name
  cross join lateral (
    select count(*) as waiting, (array_agg(q.mode order by q.place))[1] as mode
    from waiters q where q.name = n.name
  ) f
  order by n.name, h.token, h.owner
$$;
