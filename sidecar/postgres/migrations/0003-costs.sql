-- Cost budgets that a whole fleet shares. Amounts are whole millionths of the policy's unit. Only the functions below touch the tables, each in a
-- transaction of its own: whoever crashes, and whatever is repeated, of each window settled + reserved is never above the limit.

-- What was spent and put aside, for each key and window.
create table holdfast.cost_windows (
  id bigint generated always as identity primary key,
  -- Of the policy that has the target.
  namespace text not null,
  -- Kind and name: `Guard/llm`.
  target text not null,
  key text not null check (octet_length(key) <= 200),
  window_ms bigint not null check (window_ms > 0),
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  settled bigint not null default 0 check (settled >= 0),
  reserved bigint not null default 0 check (reserved >= 0),
  -- What calls did cost above what was put aside for them.
  overshoot bigint not null default 0 check (overshoot >= 0),
  -- Somebody has been told that the budget is nearly used up.
  warned boolean not null default false,
  unique (namespace, target, key, window_ms, starts_at)
);
create index on holdfast.cost_windows (ends_at);

-- What was put aside. Rows that have ended are kept for some minutes, for requests that are repeated.
create table holdfast.cost_reservations (
  namespace text not null,
  target text not null,
  id text not null check (octet_length(id) between 1 and 64),
  key text not null,
  -- May be gone when the reservation has ended.
  window_id bigint not null,
  amount bigint not null check (amount >= 0),
  -- Then it is charged in full.
  expires_at timestamptz not null,
  state text not null default 'open' check (state in ('open', 'settled', 'released', 'expired')),
  overshoot bigint not null default 0 check (overshoot >= 0),
  ended_at timestamptz,
  primary key (namespace, target, id)
);
create index on holdfast.cost_reservations (expires_at) where state = 'open';
create index on holdfast.cost_reservations (window_id, expires_at) where state = 'open';
create index on holdfast.cost_reservations (ended_at) where state <> 'open';

-- One key in the window of now. What has expired counts as settled, even if nobody has noted it yet.
create function holdfast.cost_account(
  p_namespace text, p_target text, p_key text, p_window_ms bigint,
  out settled bigint, out reserved bigint, out overshoot bigint, out window_ends_in_ms bigint
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  now_at timestamptz := clock_timestamp();
  now_ms bigint := floor(extract(epoch from now_at) * 1000);
  starts_ms bigint := now_ms - now_ms % p_window_ms;
begin
  select w.settled + e.amount, w.reserved - e.amount, w.overshoot
  into settled, reserved, overshoot
  from holdfast.cost_windows w
  cross join lateral (
    select coalesce(sum(r.amount), 0)::bigint as amount
    from holdfast.cost_reservations r
    where r.window_id = w.id and r.state = 'open' and r.expires_at <= now_at
  ) e
  where w.namespace = p_namespace and w.target = p_target and w.key = p_key
    and w.window_ms = p_window_ms
    and w.starts_at = timestamptz 'epoch' + starts_ms * interval '1 millisecond';
  settled := coalesce(settled, 0);
  reserved := coalesce(reserved, 0);
  overshoot := coalesce(overshoot, 0);
  window_ends_in_ms := starts_ms + p_window_ms - now_ms;
end
$$;

-- Charges some of what has expired, in whatever window. Returns how much of it was of this target. Never waits: who holds a window's row may wait for ours.
create function holdfast.cost_expire(p_namespace text, p_target text, out charged bigint)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  r record;
begin
  charged := 0;
  for r in
    select c.namespace, c.target, c.id, c.window_id
    from holdfast.cost_reservations c
    where c.state = 'open' and c.expires_at <= clock_timestamp()
    order by c.expires_at
    limit 4
  loop
    perform from holdfast.cost_windows w where w.id = r.window_id for update skip locked;
    continue when not found;
    with ended as (
      update holdfast.cost_reservations c
      set state = 'expired', ended_at = clock_timestamp()
      where c.namespace = r.namespace and c.target = r.target and c.id = r.id
        and c.state = 'open'
      returning c.window_id, c.amount
    ), noted as (
      update holdfast.cost_windows w
      set settled = w.settled + ended.amount, reserved = w.reserved - ended.amount
      from ended
      where w.id = ended.window_id
    )
    select charged + case when r.namespace = p_namespace and r.target = p_target
      then coalesce(sum(ended.amount), 0)::bigint else 0 end
    into charged
    from ended;
  end loop;
end
$$;

-- Puts an amount aside. `outcome`: `reserved`, or `over` when it does not fit, or for an id that is known `ended` or `other key`.
-- Asked again with the same id it answers the same, as long as the reservation is open.
create function holdfast.cost_reserve(
  p_namespace text, p_target text, p_key text, p_window_ms bigint,
  p_id text, p_amount bigint, p_ttl_ms bigint, p_limit bigint, p_warn_from bigint,
  out outcome text, out amount bigint, out expires_in_ms bigint,
  out settled bigint, out reserved bigint, out overshoot bigint, out window_ends_in_ms bigint,
  -- By this request.
  out warned boolean, out expired bigint
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  w holdfast.cost_windows;
  known holdfast.cost_reservations;
  starts_ms bigint;
  is_new_window boolean := false;
begin
  warned := false;
  expired := 0;
  -- A crash of the server must not forget what it said was put aside.
  if current_setting('synchronous_commit') = 'off' then
    perform set_config('synchronous_commit', 'on', true);
  end if;
  loop
    starts_ms := floor(extract(epoch from clock_timestamp()) * 1000);
    starts_ms := starts_ms - starts_ms % p_window_ms;
    -- Requests for one key and window go one after the other.
    select * into w from holdfast.cost_windows c
    where c.namespace = p_namespace and c.target = p_target and c.key = p_key
      and c.window_ms = p_window_ms
      and c.starts_at = timestamptz 'epoch' + starts_ms * interval '1 millisecond'
    for update;
    if not found then
      insert into holdfast.cost_windows (namespace, target, key, window_ms, starts_at, ends_at)
      values (
        p_namespace, p_target, p_key, p_window_ms,
        timestamptz 'epoch' + starts_ms * interval '1 millisecond',
        timestamptz 'epoch' + (starts_ms + p_window_ms) * interval '1 millisecond'
      )
      on conflict do nothing;
      is_new_window := true;
      continue;
    end if;
    -- The window may have ended while we waited for its row.
    exit when clock_timestamp() < w.ends_at;
  end loop;

  select * into known from holdfast.cost_reservations r
  where r.namespace = p_namespace and r.target = p_target and r.id = p_id;
  if not found then
    outcome := 'over';
    if w.settled + w.reserved + w.overshoot + p_amount <= p_limit then
      -- The same request may be under way in another window.
      insert into holdfast.cost_reservations (namespace, target, id, key, window_id, amount, expires_at)
      values (
        p_namespace, p_target, p_id, p_key, w.id, p_amount,
        clock_timestamp() + p_ttl_ms * interval '1 millisecond'
      )
      on conflict do nothing
      returning * into known;
      if found then
        warned := not w.warned and w.settled + w.reserved + w.overshoot + p_amount >= p_warn_from;
        update holdfast.cost_windows c
        set reserved = c.reserved + p_amount, warned = c.warned or cost_reserve.warned
        where c.id = w.id;
      else
        select * into known from holdfast.cost_reservations r
        where r.namespace = p_namespace and r.target = p_target and r.id = p_id;
      end if;
    end if;
  end if;
  if known.id is not null then
    amount := known.amount;
    expires_in_ms := ceil(extract(epoch from known.expires_at - clock_timestamp()) * 1000);
    outcome := case
      when known.key <> p_key then 'other key'
      when known.state <> 'open' or expires_in_ms <= 0 then 'ended'
      else 'reserved'
    end;
  end if;

  -- Each request makes one row at most, and takes more of the old ones away.
  expired := holdfast.cost_expire(p_namespace, p_target);
  delete from holdfast.cost_reservations r
  using (
    select c.namespace, c.target, c.id from holdfast.cost_reservations c
    where c.state <> 'open' and c.ended_at < clock_timestamp() - interval '10 minutes'
    order by c.ended_at
    limit 4
    for update skip locked
  ) old
  where r.namespace = old.namespace and r.target = old.target and r.id = old.id;
  if is_new_window then
    delete from holdfast.cost_windows c
    using (
      select o.id from holdfast.cost_windows o
      where o.ends_at < clock_timestamp() - interval '10 minutes'
        and not exists (
          select from holdfast.cost_reservations r where r.window_id = o.id and r.state = 'open'
        )
      order by o.ends_at
      limit 4
      for update skip locked
    ) old
    where c.id = old.id;
  end if;

  select a.settled, a.reserved, a.overshoot, a.window_ends_in_ms
  into settled, reserved, overshoot, window_ends_in_ms
  from holdfast.cost_account(p_namespace, p_target, p_key, p_window_ms) a;
end
$$;

-- Ends a reservation: `settled` with what was spent (null: all that was put aside), or `released`. `outcome`: `ended`, with the overshoot, and again the same
-- when asked again; `unknown` when there is no such reservation, or it ended otherwise.
create function holdfast.cost_end(
  p_namespace text, p_target text, p_id text, p_state text, p_actual bigint, p_warn_from bigint,
  out outcome text, out overshoot bigint,
  -- By this request, as what follows.
  out noted boolean, out charged bigint, out warned boolean, out expired bigint
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  w holdfast.cost_windows;
  r holdfast.cost_reservations;
begin
  outcome := 'unknown';
  overshoot := 0;
  noted := false;
  charged := 0;
  warned := false;
  expired := 0;
  -- Its window's row first, as everywhere; then it cannot change any more.
  select * into w from holdfast.cost_windows c
  where c.id = (
    select o.window_id from holdfast.cost_reservations o
    where o.namespace = p_namespace and o.target = p_target and o.id = p_id
  )
  for update;
  select * into r from holdfast.cost_reservations o
  where o.namespace = p_namespace and o.target = p_target and o.id = p_id;
  if not found then
    return;
  end if;
  if r.state = 'open' then
    noted := true;
    if r.expires_at <= clock_timestamp() then
      r.state := 'expired';
      charged := r.amount;
      expired := r.amount;
    elsif p_state = 'settled' then
      r.state := 'settled';
      charged := least(coalesce(p_actual, r.amount), r.amount);
      r.overshoot := coalesce(p_actual, r.amount) - charged;
    else
      r.state := 'released';
    end if;
    -- Overshoots add up without an end: beyond so much nothing fits anyway.
    w.overshoot := least(w.overshoot + r.overshoot, 4000000000000000);
    warned := not w.warned
      and w.settled + w.reserved - r.amount + charged + w.overshoot >= p_warn_from;
    update holdfast.cost_reservations o
    set state = r.state, overshoot = r.overshoot, ended_at = clock_timestamp()
    where o.namespace = p_namespace and o.target = p_target and o.id = p_id;
    update holdfast.cost_windows c
    set settled = c.settled + cost_end.charged,
      reserved = c.reserved - r.amount,
      overshoot = w.overshoot,
      warned = c.warned or cost_end.warned
    where c.id = r.window_id;
    charged := charged - expired;
  end if;
  if r.state = p_state then
    outcome := 'ended';
    overshoot := r.overshoot;
  end if;
end
$$;
