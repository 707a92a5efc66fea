import { describe, expect, test } from 'vitest';

/**
 * The scheme of migrations/0004-locks.sql as a model, in which every interleaving of a few holders is tried: who raises a fence reads a counter under the lock,
 * and writes it in a transaction that checks the fence. Nobody keeps the holders apart: leases are as bad as they can be.
 */
interface Holder {
  readonly mode: 'x' | 's';
  /** Read before the transaction, under the lock, or in it. */
  readonly reads: 'before' | 'inside';
  readonly transactions: number;
}

/** What is left out of the scheme. */
interface Scheme {
  readonly checks?: false;
  /** A raise that does not wait for transactions that are open. */
  readonly raiseWaits?: false;
  /** The rows are compared and not locked. */
  readonly checkLocks?: false;
  /** Exclusive holders look at `x` only. */
  readonly oneRow?: true;
}

type Step = 'raise' | 'read' | 'check s' | 'check x' | 'commit';

interface Running {
  /** Step that comes next. */
  at: number;
  token: number;
  read: number;
  /** Rows that its transaction holds FOR SHARE. */
  locks: string;
}

interface World {
  x: number;
  s: number;
  sequence: number;
  counter: number;
  holders: Running[];
}

function stepsOf({ mode, reads, transactions }: Holder, scheme: Scheme): readonly Step[] {
  const check: Step[] =
    mode === 'x' && scheme.oneRow !== true ? ['check s', 'check x'] : ['check x'];
  const one: Step[] = [
    ...(reads === 'before' ? (['read'] as const) : []),
    ...(scheme.checks === false ? [] : check),
    ...(reads === 'inside' ? (['read'] as const) : []),
    'commit',
  ];
  return ['raise', ...Array.from({ length: transactions }, () => one).flat()];
}

/** Where a transaction that failed leaves its holder: with the next one, if it has one. */
const afterCommit = (holder: Holder, scheme: Scheme, at: number): number =>
  stepsOf(holder, scheme).indexOf('commit', at) + 1;

/** What becomes of the world when this holder goes one step on; undefined when it is done, `lost` when what it had read under the lock was not true any more. */
function next(
  world: World,
  index: number,
  holders: readonly Holder[],
  scheme: Scheme,
): World | 'lost' | undefined {
  const holder = holders[index] as Holder;
  const running = world.holders[index] as Running;
  const steps = stepsOf(holder, scheme);
  const step = steps[running.at];
  if (step === undefined) return undefined;
  const changed = (change: Partial<Running>, more: Partial<World> = {}): World => ({
    ...world,
    ...more,
    holders: world.holders.map((each, at) =>
      at === index ? { ...each, at: each.at + 1, ...change } : each,
    ),
  });
  switch (step) {
    case 'raise': {
      const token = world.sequence + 1;
      const blocking = world.holders.filter(({ locks }) => locks.includes(holder.mode));
      const raised = changed({ token }, { sequence: token, [holder.mode]: token });
      if (blocking.length === 0 || scheme.raiseWaits === false) return raised;
      // Another order is that of who waits. Here it does not, and ends their sessions.
      const ended = raised.holders.map((each, at) =>
        each.locks.includes(holder.mode)
          ? { ...each, locks: '', at: afterCommit(holders[at] as Holder, scheme, each.at) }
          : each,
      );
      return { ...raised, holders: ended };
    }
    case 'read':
      return changed({ read: world.counter });
    case 'check s':
    case 'check x': {
      const row = step === 'check s' ? 's' : 'x';
      const value = world[row];
      const isMine =
        holder.mode === 'x' && row === 'x' ? value === running.token : value < running.token;
      if (!isMine) {
        return changed({ locks: '', at: afterCommit(holder, scheme, running.at) });
      }
      const locks = scheme.checkLocks === false ? '' : running.locks + row;
      return changed({ locks });
    }
    case 'commit': {
      // Whatever it has read under the lock has to hold still.
      if (running.read !== world.counter) return 'lost';
      const counter = world.counter + (holder.mode === 'x' ? 1 : 0);
      return changed({ locks: '' }, { counter });
    }
    default:
      return step satisfies never;
  }
}

/** Tries every interleaving. */
function search(
  holders: readonly Holder[],
  scheme: Scheme = {},
): { lost: boolean; worlds: number } {
  const first: World = {
    x: 0,
    s: 0,
    sequence: 0,
    counter: 0,
    holders: holders.map(() => ({
      at: 0,
      token: 0,
      read: -1,
      open: false,
      locks: '',
      ended: false,
    })),
  };
  const seen = new Set<string>();
  const left: World[] = [first];
  for (let world = left.pop(); world !== undefined; world = left.pop()) {
    for (let index = 0; index < holders.length; index += 1) {
      const then = next(world, index, holders, scheme);
      if (then === 'lost') return { lost: true, worlds: seen.size };
      const key = JSON.stringify(then);
      if (then === undefined || seen.has(key)) continue;
      seen.add(key);
      left.push(then);
    }
  }
  return { lost: false, worlds: seen.size };
}

const x = (reads: Holder['reads'], transactions = 1): Holder => ({
  mode: 'x',
  reads,
  transactions,
});
const s = (reads: Holder['reads'], transactions = 1): Holder => ({
  mode: 's',
  reads,
  transactions,
});

describe('with the fence nothing that was read under the lock has changed at commit', () => {
  test.each([
    ['four exclusive ones', [x('before'), x('inside'), x('before'), x('inside')]],
    ['two of several transactions', [x('before', 2), x('inside', 3)]],
    ['three, one of two transactions', [x('before', 2), x('before'), x('inside')]],
    ['writers and readers', [x('before'), s('before'), x('inside'), s('inside')]],
    ['a writer among readers', [s('before', 2), x('before', 2), s('inside')]],
  ])('%s', (_, holders) => {
    const found = search(holders);
    expect(found.lost).toBe(false);
    expect(found.worlds).toBeGreaterThan(100);
  });
});

describe('each thing that is left out loses an update', () => {
  test.each([
    ['the fence itself', [x('inside'), x('inside')], { checks: false }],
    ['waiting for open transactions', [x('before'), x('before')], { raiseWaits: false }],
    ['locking what was compared', [x('before'), x('before')], { checkLocks: false }],
    ['the second row', [s('before'), x('before')], { oneRow: true }],
  ] as const)('%s', (_, holders, scheme) => {
    expect(search(holders, scheme).lost).toBe(true);
  });
});
