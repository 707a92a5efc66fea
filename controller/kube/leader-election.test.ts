import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Clock } from '../../platform/clock.ts';
import { TestClock } from '../../platform/test-clock.ts';
import type { KubeApi, KubeCall } from './api.ts';
import { KubeError } from './kube-error.ts';
import { type Election, joinElection } from './leader-election.ts';
import type { Lease } from './lease-record.ts';

/** What becomes of one call: how long either way takes, and which way is lost. */
interface Weather {
  readonly thereMs: number;
  readonly backMs: number;
  readonly lost?: 'request' | 'answer' | undefined;
}

/** The one Lease of an API server, compared and swapped, behind a network. */
class LeaseServer {
  lease: Lease | undefined;
  #version = 0;
  readonly #clock: TestClock;

  constructor(clock: TestClock) {
    this.#clock = clock;
  }

  /** As one replica reaches it. */
  api(weather: () => Weather): KubeApi {
    const call = async ({ method, body, timeoutMs = 0 }: KubeCall): Promise<unknown> => {
      const { thereMs, backMs, lost } = weather();
      const lateAtMs = this.#clock.now() + timeoutMs;
      const timeout = async (): Promise<never> => {
        await this.#clock.sleep(Math.max(0, lateAtMs - this.#clock.now()));
        throw new KubeError(0, '', 'no answer');
      };
      if (lost === 'request') return timeout();
      // A request that its sender has given up may still come.
      const arrived = this.#clock.sleep(thereMs).then(() => this.#answer(method, body as Lease));
      arrived.catch(() => undefined);
      if (thereMs + backMs >= timeoutMs || lost === 'answer') return timeout();
      try {
        return await arrived;
      } finally {
        await this.#clock.sleep(backMs);
      }
    };
    return {
      call: async <Answer>(each: KubeCall) => structuredClone(await call(each)) as Answer,
      lines: () => {
        throw new Error('nobody watches a Lease');
      },
      close: () => Promise.resolve(),
    };
  }

  #answer(method: string, body: Lease): Lease {
    if (method === 'GET') {
      if (this.lease === undefined) throw new KubeError(404, 'NotFound', 'none');
      return this.lease;
    }
    const stale =
      method === 'POST'
        ? this.lease !== undefined
        : this.lease?.metadata.resourceVersion !== body.metadata.resourceVersion;
    if (stale) throw new KubeError(409, 'Conflict', 'another was faster');
    this.#version += 1;
    this.lease = {
      ...body,
      metadata: { ...body.metadata, resourceVersion: String(this.#version) },
    };
    return this.lease;
  }
}

interface Replica {
  readonly election: Election;
  readonly log: string[];
}

const good: Weather = { thereMs: 5, backMs: 5 };

function join(
  clock: Clock,
  server: LeaseServer,
  name: string,
  weather: () => Weather = () => good,
): Replica {
  const log: string[] = [];
  const election = joinElection({
    api: server.api(weather),
    namespace: 'ns',
    name: 'lease',
    candidate: { identity: name, address: `${name}:8443` },
    clock,
    random: () => 0.5,
    onStarted: () => log.push('started'),
    onStopped: () => log.push('stopped'),
    onFault: () => undefined,
  });
  return { election, log };
}

test('the first one leads, the others know it and its address, and it goes on', async () => {
  const clock = new TestClock();
  const server = new LeaseServer(clock);
  const a = join(clock, server, 'a');
  await clock.advance(1_000);
  const b = join(clock, server, 'b');
  await clock.advance(60_000);
  expect([a.election.isLeading(), b.election.isLeading()]).toEqual([true, false]);
  expect([a.log, b.log]).toEqual([['started'], []]);
  expect(b.election.leader()).toEqual({ identity: 'a', address: 'a:8443' });
  expect(server.lease?.spec?.leaseTransitions).toBe(1);
  await Promise.all([a.election.stop(), clock.advance(1_000)]);
  await Promise.all([b.election.stop(), clock.advance(1_000)]);
});

test('a leader that stops gives the Lease back, and another leads within a look', async () => {
  const clock = new TestClock();
  const server = new LeaseServer(clock);
  const a = join(clock, server, 'a');
  await clock.advance(1_000);
  const b = join(clock, server, 'b');
  await clock.advance(10_000);
  await Promise.all([a.election.stop(), clock.advance(100)]);
  expect(a.log).toEqual(['started', 'stopped']);
  expect(server.lease?.metadata.annotations).toEqual({});
  await clock.advance(2_400);
  expect([b.election.isLeading(), server.lease?.spec?.leaseTransitions]).toEqual([true, 2]);
  await Promise.all([b.election.stop(), clock.advance(1_000)]);
  expect(clock.alarms).toBe(0);
});

test('a leader that the API server does not hear ends before another begins, within 13 s', async () => {
  const clock = new TestClock();
  const server = new LeaseServer(clock);
  let weather = good;
  const a = join(clock, server, 'a', () => weather);
  await clock.advance(1_000);
  const b = join(clock, server, 'b');
  await clock.advance(20_000);
  weather = { thereMs: 0, backMs: 0, lost: 'request' };
  const cutAtMs = clock.now();
  while (!b.election.isLeading() && clock.now() < cutAtMs + 60_000) {
    await clock.advance(10);
    expect(a.election.isLeading() && b.election.isLeading()).toBe(false);
  }
  expect(clock.now() - cutAtMs).toBeLessThan(13_000);
  expect(a.log).toEqual(['started', 'stopped']);
  weather = good;
  await clock.advance(10_000);
  expect(a.election.leader()?.identity).toBe('b');
});

test('a term counts from when its renewal was sent, not from when the answer came', async () => {
  const clock = new TestClock();
  const server = new LeaseServer(clock);
  const sentAtMs: number[] = [];
  let cut = false;
  const a = join(clock, server, 'a', () => {
    if (cut) return { ...good, lost: 'request' };
    sentAtMs.push(clock.now());
    return { thereMs: 1, backMs: 2_900 };
  });
  await clock.advance(5_900);
  cut = true;
  expect(a.log).toEqual(['started']);
  await clock.advance((sentAtMs.at(-1) ?? 0) + 7_001 - clock.now());
  expect([a.election.isLeading(), a.log]).toEqual([false, ['started', 'stopped']]);
});

test('a renewal whose answer is lost is no other leader', async () => {
  const clock = new TestClock();
  const server = new LeaseServer(clock);
  let calls = 0;
  const a = join(clock, server, 'a', () => {
    calls += 1;
    return calls % 4 === 0 ? { ...good, lost: 'answer' } : good;
  });
  await clock.advance(60_000);
  expect(a.log).toEqual(['started']);
  expect(server.lease?.spec?.leaseTransitions).toBe(1);
});

/** Two clocks of one process: it stands still while `frozen`, as under SIGSTOP, but time goes on. */
test('a process that was stopped for 8 s leads no more the moment it goes on', async () => {
  const clock = new TestClock();
  const server = new LeaseServer(clock);
  let skippedMs = 0;
  const own: Clock = {
    now: () => clock.now() + skippedMs,
    wallNow: () => clock.wallNow(),
    after: (ms, call) => clock.after(ms, call),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
  const a = join(own, server, 'a');
  await clock.advance(5_000);
  expect(a.election.isLeading()).toBe(true);
  skippedMs = 8_000;
  expect(a.election.isLeading()).toBe(false);
});

test('a machine that was suspended leads no more: its monotonic clock stood still, the wall clock did not', async () => {
  const clock = new TestClock();
  const server = new LeaseServer(clock);
  let sleptMs = 0;
  const own: Clock = {
    now: () => clock.now(),
    wallNow: () => clock.wallNow() + sleptMs,
    after: (ms, call) => clock.after(ms, call),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
  const a = join(own, server, 'a');
  await clock.advance(5_000);
  sleptMs = 60_000;
  expect(a.election.isLeading()).toBe(false);
  // It finds out, and leads again.
  await clock.advance(10_000);
  expect(a.election.isLeading()).toBe(true);
});

const weather = fc.record({
  thereMs: fc.nat(6_000),
  backMs: fc.nat(4_000),
  lost: fc.option(fc.constantFrom('request' as const, 'answer' as const), { nil: undefined }),
});

test('there is never more than one leader, and there is one soon after the network is well again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(weather, { minLength: 1, maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 4_000 }), { minLength: 20, maxLength: 40 }),
      async (weathers, steps) => {
        const clock = new TestClock();
        const server = new LeaseServer(clock);
        let calls = 0;
        let calm = false;
        const bad = (): Weather => {
          calls += 1;
          return calm ? good : (weathers[calls % weathers.length] ?? good);
        };
        const replicas = ['a', 'b', 'c'].map((name) => join(clock, server, name, bad));
        const leaders = (): number =>
          replicas.filter(({ election }) => election.isLeading()).length;
        for (const step of steps) {
          await clock.advance(step);
          expect(leaders()).toBeLessThanOrEqual(1);
        }
        calm = true;
        await clock.advance(26_000);
        expect(leaders()).toBe(1);
        await Promise.all([
          ...replicas.map(({ election }) => election.stop()),
          clock.advance(1_000),
        ]);
        expect(leaders()).toBe(0);
      },
    ),
  );
});
