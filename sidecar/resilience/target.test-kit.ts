import { Call } from '../../platform/call.ts';
import { Deadlines } from '../../platform/deadlines.ts';
import { HoldfastError, type ErrorKind } from '../../platform/errors.ts';
import { TestClock } from '../../platform/test-clock.ts';
import type { BreakerState } from './breaker.ts';
import type { CostLedger } from './cost-ledger.ts';
import { Target } from './target.ts';
import type { TargetSettings } from './target-parts.ts';

/** What work fails with. */
export const failed = (kind: ErrorKind, retryAfterMs?: number): HoldfastError =>
  new HoldfastError(kind, 'INTERNAL', kind, retryAfterMs === undefined ? {} : { retryAfterMs });

/** A call of nobody's. */
export const aCall = (options: Partial<ConstructorParameters<typeof Call>[0]> = {}): Call =>
  new Call({
    scope: { onClose: () => () => {}, push: () => {} },
    deadlineAtMs: Infinity,
    ...options,
  });

export const retry = {
  maxAttempts: 3,
  backoff: { baseMs: 100, maxMs: 1_000 },
  on: ['unavailable', 'deadline', 'exhausted', 'unknown-outcome'] as const,
  budget: { ratio: 1, minPerSecond: 10 },
};

export const breaker = {
  failureRate: 0.5,
  slowRate: 1,
  slowCallMs: 1_000,
  minCalls: 2,
  windowMs: 10_000,
  openMs: 500,
  halfOpenCalls: 1,
};

interface Given {
  readonly call?: Call;
  readonly repeatable?: boolean;
  /** Of each try. */
  readonly takesMs?: number;
}

/** A target whose clock is a test's, and whose events are written down. Pauses are a share `chance` of what they may be. */
export function aTarget(settings: TargetSettings, ledger?: CostLedger, chance = 0.5) {
  const clock = new TestClock();
  const told = {
    states: [] as BreakerState[],
    /** When the last of them began. */
    changedAtMs: 0,
    retries: 0,
    refused: [] as string[],
    shadowRefused: [] as string[],
    shadowRetries: 0,
  };
  let ids = 0;
  const target = new Target({
    kind: 'Upstream',
    name: 'orders',
    clock,
    random: () => chance,
    deadlines: new Deadlines(clock),
    newId: () => `${(ids += 1)}`,
    onBreaker: (state) => {
      told.states.push(state);
      told.changedAtMs = clock.now();
    },
    onRetry: () => (told.retries += 1),
    onRefused: (reason) => told.refused.push(reason),
    onShadowRefused: (reason) => told.shadowRefused.push(reason),
    onShadowRetry: () => (told.shadowRetries += 1),
  });
  target.configure(settings, ledger);
  /** When each try began. */
  const tries: number[] = [];
  /** Runs work that fails so, and then succeeds. */
  const run = (
    errors: readonly (HoldfastError | undefined)[],
    { call = aCall(), repeatable = true, takesMs = 0 }: Given = {},
  ) => {
    const answers: (string | HoldfastError)[] = [];
    let nth = 0;
    const work = async (tried: Call): Promise<string> => {
      tries.push(clock.now());
      const error = errors[nth];
      nth += 1;
      if (takesMs > 0) await clock.sleep(takesMs, tried.signal).catch(() => {});
      tried.throwIfEnded();
      if (error !== undefined) throw error;
      return 'done';
    };
    void target.run(call, { run: work, repeatable: () => repeatable }).then(
      (value) => answers.push(value),
      (error: HoldfastError) => answers.push(error),
    );
    return { answers, call };
  };
  return { clock, target, told, tries, run };
}
