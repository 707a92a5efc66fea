import fc from 'fast-check';
import { cancelled, deadlineExceeded, type Call, type Priority } from '../../platform/call.ts';
import { HoldfastError, type ErrorKind } from '../../platform/errors.ts';
import { LateLedger } from './late-ledger.test-kit.ts';
import { aCall, aTarget, failed } from './target.test-kit.ts';
import type { TargetSettings } from './target-parts.ts';

const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq = 3): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq });

const kinds = [
  'unavailable',
  'deadline',
  'exhausted',
  'unknown-outcome',
  'invalid',
] as const satisfies readonly ErrorKind[];

/** Policies, with a budget when `cost` says so: small numbers, so that every bound is reached. */
export const anySettings: fc.Arbitrary<TargetSettings> = fc.record({
  breaker: maybe(
    fc.record({
      failureRate: fc.constantFrom(0.1, 0.6),
      slowRate: fc.constantFrom(0.5, 1),
      slowCallMs: fc.constantFrom(20, 80),
      minCalls: fc.integer({ min: 1, max: 3 }),
      windowMs: fc.constantFrom(100, 1_000),
      openMs: fc.constantFrom(30, 150),
      halfOpenCalls: fc.integer({ min: 1, max: 3 }),
    }),
    5,
  ),
  concurrency: maybe(
    fc.record(
      {
        max: fc.integer({ min: 1, max: 12 }),
        queue: fc.nat({ max: 5 }),
        queueTimeoutMs: fc.constantFrom(20, 200),
        fifo: fc.boolean(),
        adaptive: fc.record({ min: fc.constant(1), max: fc.integer({ min: 1, max: 6 }) }),
      },
      { requiredKeys: ['max', 'queue', 'queueTimeoutMs', 'fifo'] },
    ),
  ),
  rate: maybe(
    fc.record({
      perSecond: fc.constantFrom(5, 500),
      burst: fc.integer({ min: 1, max: 5 }),
    }),
    2,
  ),
  cost: maybe(fc.constant({ estimate: 1, reservationMs: 60_000 }), 2),
  timeout: maybe(
    fc.record({ totalMs: fc.constantFrom(60, 400), perTryMs: fc.constantFrom(0, 30, 60) }),
  ),
  retry: maybe(
    fc.record({
      maxAttempts: fc.integer({ min: 1, max: 4 }),
      backoff: fc.constant({ baseMs: 10, maxMs: 40 }),
      on: fc.constantFrom<readonly ErrorKind[]>(kinds.slice(0, 4), ['unavailable'], []),
      budget: fc.record({ ratio: fc.constantFrom(0, 0.5), minPerSecond: fc.constantFrom(0, 1) }),
    }),
  ),
});

/** What one try does. */
interface ScriptedTry {
  readonly takesMs: number;
  /** Undefined when it succeeds. */
  readonly error: ErrorKind | undefined;
  /** Whether it ends when it is told to. */
  readonly listens: boolean;
}

/** What one call does, try by try; the last one again for those that follow. */
interface ScriptedCall {
  readonly priority: Priority;
  readonly tries: readonly ScriptedTry[];
  readonly deadlineMs: number;
}

const anyCall: fc.Arbitrary<ScriptedCall> = fc.record({
  priority: fc.constantFrom<Priority>('high', 'normal', 'low'),
  tries: fc.array(
    fc.record({
      takesMs: fc.constantFrom(0, 5, 25, 100),
      error: fc.option(fc.constantFrom(...kinds), { nil: undefined }),
      listens: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  deadlineMs: fc.option(fc.constantFrom(15, 90), { nil: Infinity }),
});

type Step =
  | { readonly do: 'call'; readonly calls: readonly ScriptedCall[] }
  | { readonly do: 'cancel'; readonly nth: number }
  | { readonly do: 'grant'; readonly nth: number }
  | { readonly do: 'refuse'; readonly nth: number }
  | { readonly do: 'swap'; readonly settings: TargetSettings }
  | { readonly do: 'shadow'; readonly settings: TargetSettings | undefined }
  | { readonly do: 'pass'; readonly ms: number };

const nth = (what: 'cancel' | 'grant' | 'refuse'): fc.Arbitrary<Step> =>
  fc.nat({ max: 9 }).map((nth) => ({ do: what, nth }));

/** What may happen to a target. */
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(anyCall, { minLength: 1, maxLength: 4 })
      .map((calls) => ({ do: 'call' as const, calls })),
  },
  { weight: 1, arbitrary: nth('cancel') },
  { weight: 4, arbitrary: nth('grant') },
  { weight: 1, arbitrary: nth('refuse') },
  { weight: 2, arbitrary: anySettings.map((settings) => ({ do: 'swap' as const, settings })) },
  {
    weight: 1,
    arbitrary: maybe(anySettings).map((settings) => ({ do: 'shadow' as const, settings })),
  },
  {
    weight: 5,
    arbitrary: fc.constantFrom(1, 10, 40, 200).map((ms) => ({ do: 'pass' as const, ms })),
  },
);

/** A target to which all this happens, and whoever watches it. */
export class History {
  readonly ledger = new LateLedger();
  /** What must not be. */
  readonly faults: string[] = [];
  readonly calls: { readonly call: Call; answers: number }[] = [];
  readonly #kit: ReturnType<typeof aTarget>;
  #settings: TargetSettings;
  /** Tries that were let through since the breaker began to probe, but for those that gave their place back. */
  readonly #probes = new Set<object>();
  #statesSeen = 0;
  #probingSinceMs = 0;

  constructor(settings: TargetSettings) {
    this.#settings = settings;
    this.#kit = aTarget(settings, this.#books(settings));
  }

  async step(step: Step): Promise<void> {
    const { target, clock } = this.#kit;
    const before = target.gate.inFlight;
    switch (step.do) {
      case 'call':
        for (const each of step.calls) this.#begin(each);
        break;
      case 'cancel':
        this.calls.at(-1 - step.nth)?.call.end(cancelled());
        break;
      case 'grant':
        this.ledger.unanswered[step.nth]?.grant();
        break;
      case 'refuse':
        this.ledger.unanswered[step.nth]?.refuse(tooMuch());
        break;
      case 'swap':
        this.#settings = step.settings;
        target.configure(step.settings, this.#books(step.settings));
        break;
      case 'shadow':
        target.shadow(step.settings);
        break;
      case 'pass':
        await clock.advance(step.ms);
    }
    await clock.advance(0);
    this.#holdToLimit(before);
  }

  /** Lets everything come to its end; the result is what is left then. */
  async finish() {
    const { clock, target } = this.#kit;
    for (let round = 0; round < 30; round += 1) {
      for (const { grant } of this.ledger.unanswered) grant();
      await clock.advance(100);
    }
    await clock.advance(5_000);
    return {
      inFlight: target.gate.inFlight,
      waiting: target.gate.waiting,
      reserved: this.ledger.open.size,
      alarms: clock.alarms,
      unanswered: this.calls.filter(({ answers }) => answers !== 1).length,
      faults: this.faults,
    };
  }

  #books({ cost }: TargetSettings): LateLedger | undefined {
    return cost === undefined ? undefined : this.ledger;
  }

  #holdToLimit(before: number): void {
    const { concurrency } = this.#settings;
    const { inFlight, limit } = this.#kit.target.gate;
    const ceiling = Math.min(concurrency?.max ?? Infinity, concurrency?.adaptive?.max ?? Infinity);
    if (limit > ceiling) this.faults.push(`a limit of ${limit} above ${ceiling}`);
    if (inFlight > Math.max(ceiling, before)) this.faults.push(`${inFlight} at once`);
  }

  #begin({ priority, tries, deadlineMs }: ScriptedCall): void {
    const { clock, target } = this.#kit;
    const { maxAttempts } = this.#settings.retry ?? { maxAttempts: 1 };
    const call = aCall({ priority, deadlineAtMs: clock.now() + deadlineMs });
    const stop =
      deadlineMs === Infinity
        ? () => {}
        : clock.after(deadlineMs, () => call.end(deadlineExceeded()));
    const told = { call, answers: 0 };
    this.calls.push(told);
    let tried = 0;
    const answer = (): void => {
      stop();
      told.answers += 1;
    };
    const run = (limited: Call): Promise<void> => {
      tried += 1;
      if (tried > maxAttempts) this.faults.push(`try ${tried} of ${maxAttempts}`);
      return this.#try(limited, tries[Math.min(tried, tries.length) - 1] as ScriptedTry);
    };
    void target.run(call, { run, repeatable: () => true }).then(answer, answer);
  }

  async #try(call: Call, { takesMs, error, listens }: ScriptedTry): Promise<void> {
    const { clock, target } = this.#kit;
    const probe = {};
    if (target.gate.breakerState === 'half-open') this.#probe(probe);
    this.#holdToLimit(target.gate.inFlight);
    if (takesMs > 0) await clock.sleep(takesMs, listens ? call.signal : undefined).catch(() => {});
    const failure = call.ended ?? (error === undefined ? undefined : failed(error));
    if (failure?.kind === 'exhausted' || failure?.kind === 'cancelled') this.#probes.delete(probe);
    if (failure !== undefined) throw failure;
  }

  #probe(probe: object): void {
    const { clock, told } = this.#kit;
    const { openMs, halfOpenCalls } = this.#settings.breaker ?? { openMs: 0, halfOpenCalls: 0 };
    const changed = told.states.length !== this.#statesSeen;
    this.#statesSeen = told.states.length;
    // Probes that nobody settles lose their places after a while.
    if (changed || clock.now() - this.#probingSinceMs >= openMs) {
      this.#probes.clear();
      this.#probingSinceMs = changed ? told.changedAtMs : clock.now();
    }
    this.#probes.add(probe);
    if (this.#probes.size > halfOpenCalls) this.faults.push(`probe ${this.#probes.size}`);
  }
}

const tooMuch = (): HoldfastError =>
  new HoldfastError('exhausted', 'COST_BUDGET_EXCEEDED', 'too much');
