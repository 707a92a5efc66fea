import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeLogger } from '../../platform/logger.ts';
import { TestClock } from '../../platform/test-clock.ts';
import { keepCertificates } from './keeper.ts';
import { MemorySecret } from './memory-secret.test-kit.ts';
import type { ServingCertificates } from './serving-certificates.ts';

const logger = makeLogger('silent', 'test');
const day = 86_400_000;
let clock: TestClock;
let suspendedMs: number;
let store: MemorySecret;
let open: ServingCertificates[];
beforeEach(() => {
  clock = new TestClock();
  suspendedMs = 0;
  store = new MemorySecret();
  open = [];
});
afterEach(() => {
  for (const each of open) each.close();
});

async function keeper(signal = new AbortController().signal): Promise<ServingCertificates> {
  const kept = await keepCertificates({
    store,
    names: ['a.b.svc'],
    clock: {
      now: () => clock.now(),
      wallNow: () => clock.wallNow() + suspendedMs,
      after: (delayMs, ring) => clock.after(delayMs, ring),
      sleep: (delayMs, given) => clock.sleep(delayMs, given),
    },
    logger,
    signal,
  });
  open.push(kept);
  return kept;
}

test('replicas that start together serve the same', async () => {
  const replicas = await Promise.all([keeper(), keeper(), keeper()]);
  expect(store.writes).toBe(1);
  expect(new Set(replicas.map(({ current }) => current.certificate)).size).toBe(1);
});

test('one that starts later takes what is there', async () => {
  const first = await keeper();
  const second = await keeper();
  expect(second.current).toEqual(first.current);
  expect(store.writes).toBe(1);
});

test('a renewal by one reaches the other, whose listeners hear of it', async () => {
  const [one, other] = await Promise.all([keeper(), keeper()]);
  const before = one.current.certificate;
  const heard: string[] = [];
  other.onChange(({ certificate }) => heard.push(certificate));
  suspendedMs = 61 * day;
  await Promise.all([one.check(), other.check()]);
  expect(one.current.certificate).not.toBe(before);
  expect(other.current).toEqual(one.current);
  expect(heard).toEqual([one.current.certificate]);
});

test('a Secret that somebody deleted is there again', async () => {
  const kept = await keeper();
  store.stored = undefined;
  store.writes = 0;
  await kept.check();
  expect(store.writes).toBe(1);
});

test('without the API server the old certificate is served, and a new one as soon as it is back', async () => {
  const kept = await keeper();
  const before = kept.current;
  store.failing = true;
  await clock.advance(2 * 60_000);
  expect(kept.current).toBe(before);
  await expect(kept.check()).rejects.toThrow('away');
  store.failing = false;
  await expect(kept.check()).resolves.toBeUndefined();
});

test('the start waits for the API server, and for nobody who gives up', async () => {
  store.failing = true;
  const waiting = keeper();
  await clock.advance(20_000);
  store.failing = false;
  await clock.advance(5_000);
  // Keys are made by another thread.
  expect((await waiting).current.authorities).toContain('BEGIN CERTIFICATE');

  store.failing = true;
  const given = new AbortController();
  const never = keeper(given.signal);
  await turn();
  given.abort(new Error('enough'));
  await expect(never).rejects.toThrow('enough');
});

test('a keeper that is closed leaves no alarm behind', async () => {
  const kept = await keeper();
  await turn();
  kept.close();
  await turn();
  expect(clock.alarms).toBe(0);
});
