import fc from 'fast-check';
import type { Priority } from '../../platform/call.ts';
import type { PoolOptions } from './pool-options.ts';
import type { ServerMood } from './pool.test-kit.ts';

/** One thing that happens to a pool. Numbers choose among what there is. */
export type PoolStep =
  | Ask
  | { readonly do: 'give back'; readonly which: number; readonly dirty: boolean }
  | { readonly do: 'give all back'; readonly dirty: boolean }
  | { readonly do: 'cancel' | 'pass deadline' | 'break'; readonly which: number }
  | { readonly do: 'resize'; readonly options: Partial<PoolOptions> }
  | { readonly do: 'server'; readonly mood: Partial<ServerMood> }
  | { readonly do: 'wait'; readonly ms: number };

export interface Ask {
  readonly do: 'ask';
  readonly shares: boolean;
  readonly priority: Priority;
  /** To the deadline; null for none. */
  readonly leftMs: number | null;
  readonly times: number;
}

/** Up to a few seconds, mostly short. */
export const anyMs = fc.oneof(fc.nat(20), fc.nat(400), fc.nat(3_000));
const sizes: fc.Arbitrary<Partial<PoolOptions>> = fc
  .record({
    min: fc.nat(3),
    more: fc.nat(4),
    overflow: fc.nat(3),
    queueLimit: fc.constantFrom(3, 100),
  })
  .map(({ more, ...rest }) => ({ ...rest, max: Math.max(1, rest.min + more) }));
const times: fc.Arbitrary<Partial<PoolOptions>> = fc.record({
  acquireTimeoutMs: fc.constantFrom(50, 1_000, 4_000),
  idleTimeoutMs: fc.constantFrom(1_000, 6_000),
  maxLifetimeMs: fc.constantFrom(2_000, 20_000),
  lifetimeJitter: fc.constantFrom(0, 0.3),
  probeAfterMs: fc.constantFrom(300, 3_000),
});
const mood: fc.Arbitrary<Partial<ServerMood>> = fc.record(
  {
    opens: fc.constantFrom('well', 'well', 'refused', 'full', 'timeout'),
    openMs: fc.constantFrom(0, 5, 300, 2_500),
    prepares: fc.constantFrom('well', 'well', 'broken'),
    prepareMs: fc.constantFrom(0, 1, 300, 2_000),
    closeMs: fc.constantFrom(0, 1, 900),
  },
  { requiredKeys: [] },
);
const priority = fc.constantFrom<Priority>('high', 'normal', 'normal', 'low');
const ask = (times: fc.Arbitrary<number>): fc.Arbitrary<PoolStep> =>
  fc.record({
    do: fc.constant('ask' as const),
    shares: fc.boolean(),
    priority,
    leftMs: fc.option<number>(anyMs, { freq: 3 }),
    times,
  });
const which = fc.nat(50);

const step: fc.Arbitrary<PoolStep> = fc.oneof(
  { weight: 14, arbitrary: ask(fc.constant(1)) },
  { weight: 2, arbitrary: ask(fc.nat(40)) },
  {
    weight: 9,
    arbitrary: fc.record({ do: fc.constant('give back' as const), which, dirty: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('give all back' as const), dirty: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('cancel', 'pass deadline', 'break'), which }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('resize' as const), options: fc.oneof(sizes, times) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('server' as const), mood }) },
  { weight: 9, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: anyMs }) },
);

/** Sizes and times that all belong to small, impatient pools. */
export const anyOptions: fc.Arbitrary<Partial<PoolOptions>> = fc
  .tuple(sizes, times)
  .map(([sizes, times]) => ({ ...sizes, ...times }));

export const anySteps: fc.Arbitrary<readonly PoolStep[]> = fc.array(step, {
  maxLength: 60,
  size: 'max',
});
