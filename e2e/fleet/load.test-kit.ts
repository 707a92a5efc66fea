import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../../clients/typescript/index.ts';
import type { TestPod } from './pod.test-kit.ts';

/** Calls that go on through every sidecar. */
export interface Load {
  readonly calls: () => number;
  /** What failed, by pod and kind of call. */
  readonly failures: readonly string[];
  /** The longest call so far, ms. */
  readonly slowestMs: () => number;
  /** Resolves when the last call has its answer. */
  stop(): Promise<void>;
}

export type Call = (pod: TestPod, count: number) => Promise<unknown>;

/** What an application does: PostgreSQL, Redis, and a call of its own under a Guard, one after the other. */
export const shopCalls: Call = (pod, count) => {
  const { holdfast } = pod;
  if (count % 3 === 0) return holdfast.database().query('select 1');
  if (count % 3 === 1) return holdfast.redis().command('PING');
  return holdfast.guard('llm').run(() => Promise.resolve());
};

const reasonOf = (error: unknown): string =>
  error instanceof HoldfastError ? error.reason : 'NO_REASON';

interface LoadOptions {
  readonly call?: Call;
  /** Callers of each pod. */
  readonly callers?: number;
  /** Between two calls of one caller. */
  readonly pauseMs?: number;
}

/** Begins to call. */
export function startLoad(
  pods: readonly TestPod[],
  { call = shopCalls, callers = 1, pauseMs = 40 }: LoadOptions = {},
): Load {
  const failures: string[] = [];
  const seen = { calls: 0, slowestMs: 0, running: true };
  const caller = async (pod: TestPod): Promise<void> => {
    for (let count = 0; seen.running; count += 1) {
      const fromMs = performance.now();
      await call(pod, count).catch((error: unknown) => {
        failures.push(`${pod.name}, call ${count}: ${reasonOf(error)} ${String(error)}`);
      });
      seen.calls += 1;
      seen.slowestMs = Math.max(seen.slowestMs, performance.now() - fromMs);
      await sleep(pauseMs);
    }
  };
  const all = pods.flatMap((pod) => Array.from({ length: callers }, () => caller(pod)));
  return {
    calls: () => seen.calls,
    failures,
    slowestMs: () => Math.round(seen.slowestMs),
    stop: async () => {
      seen.running = false;
      await Promise.all(all);
    },
  };
}
