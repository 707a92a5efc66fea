import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancelled, Call } from '../../../platform/call.ts';
import { systemClock } from '../../../platform/clock.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { RedisOptions } from '../../redis/redis-options.ts';
import { RedisTargets } from '../../redis/redis-targets.ts';
import { freeTargets } from '../../resilience/targets.test-kit.ts';
import { readRedisUrl } from '../../settings/redis-url.ts';
import type { Claim, Granted } from './authority.ts';
import { RedisAuthority } from './redis-authority.ts';

/** An authority with connections of its own, as another sidecar has it. */
export interface TestAuthority {
  readonly authority: RedisAuthority;
  readonly redis: RedisTargets;
  /** Names of locks that were taken away. */
  readonly forced: string[];
  /** Waits at most `waitMs`; 0 is not at all. */
  acquire(claim: Claim, waitMs?: number, call?: Call): Promise<Granted>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface AuthorityOptions {
  readonly longestTtlMs?: number;
  readonly redis?: Partial<RedisOptions>;
}

/** Starts one; does not wait until it is connected. */
export function startAuthority(
  url: string,
  { longestTtlMs = 200, redis: more = {} }: AuthorityOptions = {},
): TestAuthority {
  const { encrypted: _, ...connection } = readRedisUrl(url, 'URL');
  const options: RedisOptions = {
    name: 'default',
    connections: 2,
    maxInFlight: 50_000,
    commandTimeoutMs: 1_000,
    connectTimeoutMs: 2_000,
    maxReplyBytes: 16 * 1024 * 1024,
    blockingConnections: 1,
    operationTtlMs: 60_000,
    subscriberBufferBytes: 64 * 1024,
    connection: { ...connection, tls: undefined },
    ...more,
  };
  const protection = freeTargets();
  const redis = new RedisTargets([options], {
    clock: systemClock,
    random: Math.random,
    off: false,
    events: () => ({ connected() {}, disconnected() {}, timedOut() {}, gap() {} }),
    target: (name) => protection.of('Redis', name),
  });
  const forced: string[] = [];
  const authority = new RedisAuthority({
    clock: systemClock,
    random: Math.random,
    newId: randomUUID,
    backend: () => redis.named(''),
    subscriber: () => redis.subscriber(redis.named('')),
    longestTtlMs: () => longestTtlMs,
    events: { onForced: (name) => forced.push(name) },
  });
  return {
    authority,
    redis,
    forced,
    acquire: (claim, waitMs = 0, call = newCall()) =>
      authority.acquire(claim, call, waitMs === 0 ? 0 : systemClock.now() + waitMs),
    [Symbol.asyncDispose]: async () => {
      await authority.close();
      await redis.close();
    },
  };
}

/** The same, once it grants locks. */
export async function openAuthority(
  url: string,
  options: AuthorityOptions = {},
): Promise<TestAuthority> {
  const opened = startAuthority(url, options);
  const claim = claimOf(`settled ${randomUUID()}`, { ttlMs: 1 });
  for (;;) {
    try {
      await opened.acquire(claim, 5_000);
      await opened.authority.release(claim);
      return opened;
    } catch (error) {
      if (HoldfastError.from(error).kind !== 'unavailable') throw error;
      await sleep(20);
    }
  }
}

/** Of a request of its own; without an owner its lease stands for it. */
export function claimOf(name: string, more: Partial<Claim> = {}): Claim {
  const leaseId = randomUUID();
  return { name, mode: 'exclusive', permits: 1, leaseId, owner: leaseId, ttlMs: 5_000, ...more };
}

/** What a request was refused with; `granted` if it was not. */
export async function refusalOf(acquired: Promise<unknown>): Promise<string> {
  try {
    await acquired;
    return 'granted';
  } catch (error) {
    return HoldfastError.from(error).reason;
  }
}

/** Until it reaches a Redis that takes writes, whatever that says. */
export async function untilAnswers(sidecar: TestAuthority): Promise<void> {
  for (;;) {
    const said = await refusalOf(sidecar.acquire(claimOf(newName(), { ttlMs: 1 })));
    if (said === 'granted' || said === 'LOCKS_SETTLING') return;
    await sleep(5);
  }
}

export const newCall = (): Call =>
  new Call({ scope: { onClose: () => () => {}, push: () => {} }, deadlineAtMs: Infinity });

export const cancel = (call: Call): void => call.end(cancelled());

let names = 0;
/** A lock that no other test of the file has. */
export const newName = (): string => `lock ${(names += 1)}`;
