import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { testDatabase } from '../../../scripts/servers/test-database.ts';
import { Attempt, newClaim, plainCall, untilWaiting } from './lock-attempt.test-kit.ts';
import { postgresLocksKit } from './postgres-authority.test-kit.ts';

const kit = postgresLocksKit();

test('of many that are renewed at once each hears whether it has it', async () => {
  const one = kit.open(kit.url, { connections: 4 });
  const claims = Array.from({ length: 300 }, (_, at) =>
    newClaim(`renewed ${at}`, { mode: at % 3 === 0 ? 'shared' : 'exclusive' }),
  );
  await Promise.all(claims.map((claim) => new Attempt(one, claim).done));
  const [released = newClaim('a')] = claims;
  await one.authority.release(released);
  const stranger = newClaim('renewed 1', { owner: 'stranger' });
  const renewals = await one.authority.renew([...claims, stranger]);
  expect(renewals.flatMap((each, at) => (each === 'gone' ? [at] : []))).toEqual([0, 300]);
  expect(await one.authority.release(stranger)).toBe(false);
  const short = newClaim('renewed not', { ttlMs: 100 });
  await new Attempt(one, short).done;
  await sleep(150);
  expect(await one.authority.renew([short])).toEqual(['gone']);
  expect(await one.authority.release(short)).toBe(false);
});

test('nobody polls: who waits sends nothing, and a handover is two requests and a look for each sidecar', async () => {
  const [one, two] = [kit.open(), kit.open()];
  const sent = (): number => one.sent + two.sent;
  const name = kit.newName();
  const holder = new Attempt(one, newClaim(name));
  await holder.done;
  const waiters: Attempt[] = [];
  for (let count = 1; count <= 6; count += 1) {
    waiters.push(new Attempt(count % 2 === 0 ? one : two, newClaim(name)));
    await untilWaiting(one, name, count);
  }
  const before = sent();
  await sleep(300);
  expect(sent()).toBe(before);
  await holder.release();
  for (const waiter of waiters) {
    await waiter.done;
    await waiter.release();
  }
  expect(sent() - before).toBe(13);
  // Whether those that were woken have come.
  await sleep(1_200);
  expect(sent() - before).toBeLessThanOrEqual(15);
  expect(waiters.map(({ state }) => state)).toEqual(waiters.map(() => 'granted'));
});

test('a lock that is taken away is told to all who hold it, and goes to the next', async () => {
  const [one, two] = [kit.open(), kit.open()];
  const name = kit.newName();
  const readers = [
    new Attempt(one, newClaim(name, { mode: 'shared' })),
    new Attempt(two, newClaim(name, { mode: 'shared' })),
  ];
  await Promise.all(readers.map(({ done }) => done));
  const next = new Attempt(two, newClaim(name));
  await untilWaiting(one, name, 1);
  expect(await one.authority.forceRelease(name, plainCall())).toBe(2);
  await next.done;
  await expect.poll(() => [one.forced, two.forced]).toEqual([[name], [name]]);
  expect(await one.authority.renew(readers.map(({ claim }) => claim))).toEqual(['gone', 'gone']);
  await next.release();
});

test('lists in byte order what begins so, whatever is in it', async () => {
  const one = kit.open();
  const names = ['a%_\\', 'a%_\\"', 'a%_é', 'a%_z', 'a%_\u{1f600}', 'a%_\uffee'];
  const claims = names.map((name) => newClaim(name, { owner: name === 'a%_z' ? 'me' : '' }));
  const held = claims.map((claim) => ({ ...claim, owner: claim.owner || claim.leaseId }));
  await Promise.all(held.map((claim) => new Attempt(one, claim).done));
  await new Attempt(one, newClaim('aXYZ')).done;
  const all = await one.authority.list('a%_', 10, plainCall());
  expect(all.map(({ name }) => name)).toEqual(
    names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  );
  expect(all.find(({ name }) => name === 'a%_z')).toMatchObject({
    mode: 'exclusive',
    waiting: 0,
    holders: [{ owner: 'me', count: 1 }],
  });
  expect(all[0]?.holders[0]?.owner).toBe('');
  expect(all[0]?.holders[0]?.expiresInMs).toBeGreaterThan(25_000);
  expect(all[0]?.holders[0]?.expiresInMs).toBeLessThanOrEqual(30_000);
  expect(await one.authority.list('a%_', 2, plainCall())).toHaveLength(2);
});

describe('a role', () => {
  const asRole = async (name: string, setting = ''): Promise<string> => {
    await kit.direct.query(`drop role if exists ${name}; create role ${name} login password 'x'`);
    if (setting !== '') await kit.direct.query(`alter role ${name} set ${setting}`);
    const url = new URL(kit.url);
    url.username = name;
    url.password = 'x';
    return url.href;
  };

  test('without any rights has locks, and does not see their tables', async () => {
    const url = await asRole('locks_plain', 'synchronous_commit = off');
    const [one, two] = [kit.open(url), kit.open(url)];
    const name = kit.newName();
    const holder = new Attempt(one, newClaim(name));
    await holder.done;
    const next = new Attempt(two, newClaim(name));
    await untilWaiting(one, name, 1);
    await holder.release();
    await next.done;
    expect(next.state).toBe('granted');
    const rows = one.pool.database.query(
      { sql: 'select * from holdfast.lock_holders', params: [] },
      plainCall(),
    );
    await expect(rows).rejects.toMatchObject({ metadata: { sqlstate: '42501' } });
  });

  test('whose transactions would not see what others have done has none', async () => {
    const url = await asRole('locks_strict', `default_transaction_isolation = 'serializable'`);
    const one = kit.open(url);
    const attempt = new Attempt(one, newClaim(kit.newName()));
    await attempt.done;
    expect(attempt.state).toBe('LOCK_UNSUPPORTED');
  });
});

test('without the migration it says so', async () => {
  const bare = await testDatabase();
  const client = new pg.Client(bare.url);
  await client.connect();
  await client.query('drop schema holdfast cascade');
  await client.end();
  const attempt = new Attempt(kit.open(bare.url), newClaim('a'));
  await attempt.done;
  expect(attempt.state).toBe('MIGRATION_REQUIRED');
  await kit.closeAll();
  await bare.drop();
});

test('what is left of locks that nobody asks for goes', async () => {
  await kit.direct.query(
    `insert into holdfast.lock_holders (name, owner, mode, token, expires_at, leases, channels)
     select 'old ' || i, 'o', 'exclusive', 1, now() - i * interval '1 second', '{o}', '{c}' from generate_series(1, 100) i`,
  );
  await kit.direct.query(
    `insert into holdfast.lock_waiters (name, place, lease, owner, mode, permits, channel, ticket, looks_at)
     select 'old', i, i, 'o', 'exclusive', 1, 'c', i, now() - i * interval '1 second' from generate_series(1, 100) i`,
  );
  await kit.direct.query('select pg_advisory_lock(1212563781, 99)');
  // In another session, to which that waiter is there.
  const sweep = { sql: 'select holdfast.lock_sweep()', params: [] };
  await kit.open().pool.database.query(sweep, plainCall());
  await kit.direct.query('select pg_advisory_unlock(1212563781, 99)');
  const { rows } = await kit.direct.query(
    `select (select count(*)::int from holdfast.lock_holders where name like 'old %') as holders,
      (select count(*)::int from holdfast.lock_waiters where name = 'old') as waiters`,
  );
  // Those of the last minute, and the one that is there.
  expect(rows).toEqual([{ holders: 59, waiters: 60 }]);
});
