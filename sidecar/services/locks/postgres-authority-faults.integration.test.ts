import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../platform/clock.ts';
import { type FaultProxy, proxyTo } from '../../../scripts/faults/fault-proxy.ts';
import { startPostgres } from '../../../scripts/servers/postgres.ts';
import { makeTemplate, templateName } from '../../../scripts/servers/template-database.ts';
import { raiseFence } from '../../postgres/fences.ts';
import { Attempt, newClaim, plainCall, untilWaiting } from './lock-attempt.test-kit.ts';
import { postgresLocksKit } from './postgres-authority.test-kit.ts';

const kit = postgresLocksKit();

test('a waiter that was woken and does not come is skipped after a second', async () => {
  const [one, two] = [kit.open(), kit.open()];
  const name = kit.newName();
  const holder = new Attempt(one, newClaim(name));
  await holder.done;
  // As a sidecar that is stopped: its session is there and nobody reads what it is told.
  await kit.direct.query('select pg_advisory_lock(1212563781, 7)');
  await kit.direct.query(
    `select holdfast.lock_acquire($1, 'exclusive', 1, 'stopped', 'stopped', 30000, 'nobody', 7, true, null, 30000)`,
    [name],
  );
  const next = new Attempt(two, newClaim(name));
  await untilWaiting(one, name, 2);
  const releasedAt = performance.now();
  await holder.release();
  await next.done;
  const tookMs = performance.now() - releasedAt;
  expect(tookMs).toBeGreaterThan(990);
  expect(tookMs).toBeLessThan(3_000);
  await next.release();
  expect(await kit.left(name)).toBe(0);
  await kit.direct.query('select pg_advisory_unlock(1212563781, 7)');
});

test('a waiter whose sidecar lost its session finds its place again', async () => {
  const [one, two, other] = [kit.open(), kit.open(), kit.open()];
  const name = kit.newName();
  const holder = new Attempt(one, newClaim(name));
  await holder.done;
  const first = new Attempt(two, newClaim(name));
  await untilWaiting(one, name, 1);
  const second = new Attempt(other, newClaim(name));
  await untilWaiting(one, name, 2);
  two.notifications.renew();
  await untilWaiting(one, name, 1);
  await untilWaiting(one, name, 2);
  // As after a crash: what only waits need not be on disk.
  await kit.direct.query('delete from holdfast.lock_waiters');
  other.notifications.renew();
  await untilWaiting(one, name, 1);
  two.notifications.renew();
  await untilWaiting(one, name, 2);
  await holder.release();
  await first.done;
  expect([first.state, second.state]).toEqual(['granted', 'waiting']);
  await first.release();
  await second.done;
  await second.release();
});

test('after a promotion nothing is granted before all that may have been lost is over, and no token comes again', async () => {
  const one = kit.open(kit.url, { longestTtlMs: 0 });
  const name = kit.newName();
  const before = new Attempt(one, newClaim(name, { ttlMs: 100 }));
  await before.done;
  await kit.direct.query(
    `update holdfast.lock_life set timeline = '00000000', longest_ttl_ms = 400`,
  );
  const promotedAt = performance.now();
  const other = new Attempt(one, newClaim(kit.newName(), { ttlMs: 100 }), 0);
  await other.done;
  expect(other.state).toBe('LOCKS_SETTLING');
  const late = new Attempt(one, newClaim(kit.newName(), { ttlMs: 100 }), 100);
  const waits = new Attempt(one, newClaim(name, { ttlMs: 100 }));
  await Promise.all([late.done, waits.done]);
  expect(late.state).toBe('LOCKS_SETTLING');
  expect(performance.now() - promotedAt).toBeGreaterThan(395);
  expect(performance.now() - promotedAt).toBeLessThan(3_000);
  expect(waits.granted?.token).toBeGreaterThan((before.granted?.token ?? 0n) + 4_294_967_296n);
  await kit.direct.query(`update holdfast.lock_life set timeline = '00000000'`);
  const host = { clock: systemClock, database: one.pool.database };
  const fence = await raiseFence(host, name, 'exclusive', plainCall(), 1_000);
  expect(fence).toBeGreaterThan((waits.granted?.token ?? 0n) + 4_294_967_296n);
  await kit.direct.query('update holdfast.lock_life set since = null, longest_ttl_ms = 0');
});

describe('when its answer is lost', () => {
  let proxy: FaultProxy;
  beforeAll(async () => {
    proxy = await proxyTo(kit.url);
  });
  afterAll(() => proxy[Symbol.asyncDispose]());

  /** Cuts once behind the first statement that names this function. */
  const cutAt = (named: string): void => {
    let isNamed = false;
    proxy.rule = ({ from, type, text }) => {
      isNamed ||= from === 'client' && text.includes(named);
      if (!isNamed || from !== 'server' || type !== 'CommandComplete') return undefined;
      proxy.rule = undefined;
      return { cut: 'before' };
    };
  };

  test('an acquire leaves nothing that nobody holds', async () => {
    const one = kit.open(proxy.through(kit.url), { connections: 3 });
    const name = kit.newName();
    cutAt('lock_acquire');
    const attempt = new Attempt(one, newClaim(name));
    await attempt.done;
    const isHeld = attempt.state === 'granted';
    await expect.poll(() => kit.left(name), { timeout: 5_000 }).toBe(isHeld ? 1 : 0);
    expect(['granted', 'DATABASE_UNAVAILABLE']).toContain(attempt.state);
  });

  test('a release is known all the same', async () => {
    const one = kit.open(proxy.through(kit.url), { connections: 3 });
    const name = kit.newName();
    const attempt = new Attempt(one, newClaim(name));
    await attempt.done;
    cutAt('lock_release');
    expect(await attempt.release()).toBe(true);
    expect(await kit.left(name)).toBe(0);
  });
});

test('a server that is killed and comes back has forgotten no holder, and serves the waiters in order', async () => {
  const server = await startPostgres();
  await makeTemplate(server.url);
  const url = new URL(server.url);
  url.pathname = `/${templateName}`;
  const [one, two] = [kit.open(url.href), kit.open(url.href)];
  const name = kit.newName();
  const holder = new Attempt(one, newClaim(name));
  await holder.done;
  const waiting: Attempt[] = [];
  const order: number[] = [];
  for (let at = 0; at < 6; at += 1) {
    const attempt = new Attempt(at % 2 === 0 ? two : one, newClaim(name));
    waiting.push(attempt);
    void attempt.done.then(() => order.push(at));
    await untilWaiting(one, name, at + 1);
  }
  const justNow = new Attempt(one, newClaim(kit.newName()));
  await justNow.done;
  await server.kill();
  await server.start();
  await untilWaiting(one, name, 6);
  expect(order).toEqual([]);
  const renewals = await one.authority.renew([holder.claim, justNow.claim]);
  expect(renewals).not.toContain('gone');
  let last = holder.granted?.token ?? 0n;
  await holder.release();
  for (const attempt of waiting) {
    await attempt.done;
    expect(attempt.state).toBe('granted');
    expect(attempt.granted?.token).toBeGreaterThan(last);
    last = attempt.granted?.token ?? 0n;
    await attempt.release();
  }
  expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  await kit.closeAll();
  await server.stop();
});
