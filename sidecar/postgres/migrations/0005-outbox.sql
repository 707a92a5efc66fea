-- Events that are written with a transaction, and who has read them how far. Only the functions below touch the tables.
--
-- A transaction adds its events right before COMMIT, behind a lock for each of their keys that it keeps until it has ended: of one key, the event that is
-- committed later has the larger id. Positions come after the commit, from one pass at a time over what is committed and has none yet, in order of id. So
-- a position that can be seen has all smaller ones before it, nothing is skipped, and a transaction that stays open for an hour holds nobody up.

create table holdfast.outbox (
  -- When it was written, among the events of its key; of other keys a smaller one may be committed later.
  id bigint generated always as identity,
  topic text not null check (octet_length(topic) between 1 and 200),
  key text not null check (octet_length(key) <= 200),
  payload bytea not null check (octet_length(payload) <= 1048576),
  at timestamptz not null default clock_timestamp(),
  -- Both are given after the commit: its place among all, and among those of its topic and key.
  pos bigint,
  seq bigint
);
create unique index on holdfast.outbox (pos) where pos is not null;
create index on holdfast.outbox (id) where pos is null;

-- The position given last. A pass that is rolled back leaves a gap, which nobody minds.
create sequence holdfast.outbox_positions minvalue 0 start 0;

-- How many events each key has had. Kept: a key that began again at 1 would look as if its events were repeated.
create table holdfast.outbox_keys (
  topic text not null,
  key text not null,
  seq bigint not null,
  primary key (topic, key)
);

create table holdfast.outbox_subscribers (
  name text primary key check (octet_length(name) between 1 and 100),
  -- Dealt with up to here.
  cursor bigint not null,
  -- Handed out up to here, at some time.
  sent bigint not null,
  -- Of the stream that has the name now.
  epoch bigint not null,
  -- Null: all of them.
  topics text[],
  seen_at timestamptz not null default clock_timestamp()
);
create sequence holdfast.outbox_epochs;

-- Adds events to the transaction that it is called in. Waits while another one that has added events of the same key is open.
create function holdfast.outbox_append(p_topics text[], p_keys text[], p_payloads bytea[])
returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  locks bigint[] := array(
    select distinct hashtextextended(e.k, hashtextextended(e.t, 0)) as lock
    from unnest(p_topics, p_keys) as e(t, k)
    order by lock
  );
  lock bigint;
begin
  -- Not a row for each key: to lock one that was changed meanwhile fails in REPEATABLE READ. Not a thousand of these either, the server has a table for some
  -- thousands in all; who has many keys takes them all at once. In one order, so that no two wait for each other.
  if cardinality(locks) > 32 then
    perform pg_advisory_xact_lock(5148034206813925101);
  else
    perform pg_advisory_xact_lock_shared(5148034206813925101);
    foreach lock in array locks loop
      perform pg_advisory_xact_lock(lock);
    end loop;
  end if;
  insert into holdfast.outbox (topic, key, payload)
  select e.t, e.k, e.p
  from unnest(p_topics, p_keys, p_payloads) with ordinality as e(t, k, p, n)
  order by e.n;
end
$$;

-- Gives positions to what is committed and has none. Returns to how many, 1,000 at most, or null while somebody else does it. Each statement of it sees what
-- was committed before that statement: what an earlier pass did, above all.
create function holdfast.outbox_place(p_wait boolean default false)
returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  base bigint;
  placed integer;
begin
  if p_wait then
    perform pg_advisory_xact_lock(5148034206813925102);
  elsif not pg_try_advisory_xact_lock(5148034206813925102) then
    return null;
  end if;
  -- An event must not come again with another number because this was lost in a crash.
  if current_setting('synchronous_commit') = 'off' then
    perform set_config('synchronous_commit', 'on', true);
  end if;
  select last_value into base from holdfast.outbox_positions;
  with pending as materialized (
    select o.id, o.topic, o.key from holdfast.outbox o where o.pos is null order by o.id limit 1000
  ), counted as (
    insert into holdfast.outbox_keys as k (topic, key, seq)
    select p.topic, p.key, count(*) from pending p group by p.topic, p.key
    on conflict (topic, key) do update set seq = k.seq + excluded.seq
    returning k.topic, k.key, k.seq
  ), numbered as (
    select p.id,
      base + row_number() over (order by p.id) as pos,
      c.seq - count(*) over (partition by p.topic, p.key)
        + row_number() over (partition by p.topic, p.key order by p.id) as seq
    from pending p
    join counted c on c.topic = p.topic and c.key = p.key
  )
  update holdfast.outbox o set pos = n.pos, seq = n.seq
  from numbered n
  where o.id = n.id and o.pos is null;
  get diagnostics placed = row_count;
  if placed > 0 then
    perform setval('holdfast.outbox_positions', base + placed);
    -- Whoever looked meanwhile found the pass taken and saw nothing of it.
    perform pg_notify('holdfast.events', '');
  end if;
  return placed;
end
$$;

-- Takes over a subscriber's name, or makes it. Whoever had it finds out at the next look, which this wakes.
create function holdfast.outbox_subscribe(
  p_name text, p_topics text[], p_from_now boolean,
  out epoch bigint, out cursor bigint
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  first bigint := 0;
begin
  if p_from_now and not exists (select from holdfast.outbox_subscribers s where s.name = p_name) then
    -- What is committed by now is not from now on.
    loop
      exit when holdfast.outbox_place(true) < 1000;
    end loop;
    select last_value into first from holdfast.outbox_positions;
  end if;
  insert into holdfast.outbox_subscribers as s (name, cursor, sent, epoch, topics)
  values (p_name, first, first, nextval('holdfast.outbox_epochs'), p_topics)
  on conflict (name) do update
  set epoch = excluded.epoch, topics = excluded.topics, seen_at = clock_timestamp()
  returning s.epoch, s.cursor into outbox_subscribe.epoch, outbox_subscribe.cursor;
  perform pg_notify('holdfast.events', '');
end
$$;

-- Events behind `p_after`, at most so many of them and, but for the first one, so many bytes. The last row is no event: `pos` says up to where this looked,
-- `seq` how far there is something to look at.
create function holdfast.outbox_read(
  p_name text, p_epoch bigint, p_after bigint, p_rows integer, p_bytes bigint
)
returns table (pos bigint, topic text, key text, seq bigint, at_us bigint, payload text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  me holdfast.outbox_subscribers;
  newest bigint;
  upto bigint;
  places bigint[];
  found_rows bigint;
begin
  select * into me from holdfast.outbox_subscribers s where s.name = p_name;
  if me.epoch is distinct from p_epoch then
    raise exception 'a newer stream has this subscriber' using errcode = 'HF010';
  end if;
  perform holdfast.outbox_place();
  select coalesce(max(o.pos), p_after) into newest from holdfast.outbox o where o.pos is not null;
  -- A subscriber to few of many events looks at so many at a time.
  select least(newest, min(o.pos) + 9999) into upto from holdfast.outbox o where o.pos > p_after;
  select array_agg(f.pos order by f.pos) filter (where f.bytes_before < p_bytes), count(*)
  into places, found_rows
  from (
    select w.pos, sum(w.bytes) over (order by w.pos) - w.bytes as bytes_before
    from (
      select o.pos, octet_length(o.payload) as bytes
      from holdfast.outbox o
      where o.pos > p_after and o.pos <= upto
        and (me.topics is null or o.topic = any (me.topics))
      order by o.pos
      limit p_rows
    ) w
  ) f;
  upto := coalesce(upto, greatest(newest, p_after));
  if places is not null then
    if cardinality(places) < found_rows or found_rows = p_rows then
      upto := places[cardinality(places)];
    end if;
    update holdfast.outbox_subscribers s
    set sent = greatest(s.sent, places[cardinality(places)]), seen_at = clock_timestamp()
    where s.name = p_name and s.sent < places[cardinality(places)];
  end if;
  update holdfast.outbox_subscribers s set seen_at = clock_timestamp()
  where s.name = p_name and s.seen_at < clock_timestamp() - interval '1 minute';
  return query
    select o.pos, o.topic, o.key, o.seq,
      (extract(epoch from o.at) * 1000000)::bigint, encode(o.payload, 'base64')
    from holdfast.outbox o
    where o.pos = any (places)
    order by o.pos;
  return query select upto, null::text, null::text, newest, null::bigint, null::text;
end
$$;

-- `acked`, or `unknown` when there is no such subscriber, or `not sent` for what it was never given. To go back changes nothing.
create function holdfast.outbox_ack(p_name text, p_cursor bigint)
returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  me holdfast.outbox_subscribers;
begin
  select * into me from holdfast.outbox_subscribers s where s.name = p_name;
  if not found then
    return 'unknown';
  elsif p_cursor > me.sent then
    return 'not sent';
  elsif p_cursor > me.cursor then
    update holdfast.outbox_subscribers s
    set cursor = greatest(s.cursor, p_cursor), seen_at = clock_timestamp()
    where s.name = p_name;
  end if;
  return 'acked';
end
$$;

-- Looks at 1,000 events behind `p_after` and deletes those that are older than the retention and that every subscriber seen in the last 30 days has dealt
-- with, or does not want. `upto`: where to go on; null when what follows is too young.
create function holdfast.outbox_clean(
  p_after bigint, p_retention_ms bigint,
  out deleted integer, out upto bigint
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  oldest_kept timestamptz := clock_timestamp() - p_retention_ms * interval '1 millisecond';
  young boolean;
  looked_at integer;
begin
  deleted := 0;
  -- One at a time; whoever comes second finds nothing to do.
  if not pg_try_advisory_xact_lock(5148034206813925103) then
    return;
  end if;
  select max(l.pos), bool_or(l.at >= oldest_kept), count(*) into upto, young, looked_at
  from (
    select o.pos, o.at from holdfast.outbox o where o.pos > p_after order by o.pos limit 1000
  ) l;
  delete from holdfast.outbox o
  where o.pos > p_after and o.pos <= upto and o.at < oldest_kept
    and not exists (
      select from holdfast.outbox_subscribers s
      where s.cursor < o.pos
        and s.seen_at > clock_timestamp() - interval '30 days'
        and (s.topics is null or o.topic = any (s.topics))
    );
  get diagnostics deleted = row_count;
  if young or looked_at < 1000 then
    upto := null;
  end if;
end
$$;
