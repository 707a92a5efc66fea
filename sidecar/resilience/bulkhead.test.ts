import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Call, cancelled, deadlineExceeded, type Priority } from '../../platform/call.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { TestClock } from '../../platform/test-clock.ts';
import { Bulkhead, type BulkheadSettings } from './bulkhead.ts';

const scope = { onClose: () => () => {}, push: () => {} };
const aCall = (priority: Priority = 'normal'): Call =>
  new Call({ scope, deadlineAtMs: Infinity, priority });

type State = 'waiting' | 'running' | 'refused' | 'done';

/** What became of one who wanted in. */
interface Wish {
  readonly call: Call;
  state: State;
  error?: HoldfastError;
}

function aBulkhead(settings: BulkheadSettings) {
  const clock = new TestClock();
  const bulkhead = new Bulkhead(settings, { target: 'orders', clock });
  const wishes: Wish[] = [];
  const want = (priority: Priority = 'normal'): Wish => {
    const wish: Wish = { call: aCall(priority), state: 'waiting' };
    wishes.push(wish);
    const run = (): void => {
      wish.state = 'running';
    };
    const refuse = (error: unknown): void => {
      wish.state = 'refused';
      wish.error = error as HoldfastError;
    };
    try {
      const waiting = bulkhead.admit(wish.call, Infinity);
      if (waiting === undefined) run();
      else void waiting.then(run, refuse);
    } catch (error) {
      refuse(error);
    }
    return wish;
  };
  const end = (wish: Wish | undefined): void => {
    if (wish?.state !== 'running') return;
    wish.state = 'done';
    bulkhead.settle();
  };
  return { clock, bulkhead, wishes, want, end };
}

const rank = { high: 0, normal: 1, low: 2 };
const timeoutMs = 300;

/** The same bulkhead, written for being read: a list of all that ever wanted in. */
class Reference {
  readonly wishes: { readonly priority: Priority; readonly sinceMs: number; state: State }[] = [];
  settings: BulkheadSettings;

  constructor(settings: BulkheadSettings) {
    this.settings = settings;
  }

  in(state: State) {
    return this.wishes.filter((each) => each.state === state);
  }

  hasRoom(priority: Priority): boolean {
    const { max, shares = { normal: 1, low: 1 } } = this.settings;
    const share = { high: 1, normal: shares.normal, low: Math.min(shares.normal, shares.low) };
    return this.in('running').length < Math.max(1, Math.floor(max * share[priority]));
  }

  want(priority: Priority, sinceMs: number): void {
    let state: State = 'waiting';
    if (this.hasRoom(priority)) state = 'running';
    else if (this.in('waiting').length >= this.settings.queue) {
      const [last] = this.in('waiting')
        .toReversed()
        .filter((each) => rank[each.priority] > rank[priority])
        .toSorted((a, b) => rank[b.priority] - rank[a.priority]);
      if (last === undefined || this.settings.fifo === true) state = 'refused';
      else last.state = 'refused';
    }
    this.wishes.push({ priority, sinceMs, state });
  }

  /** Lets in whoever may, and sends away whoever waits for too long. */
  settle(nowMs: number): void {
    for (const each of this.in('waiting')) {
      if (nowMs >= each.sinceMs + timeoutMs) each.state = 'refused';
    }
    const { fifo } = this.settings;
    for (;;) {
      const [next] = this.in('waiting')
        .filter(({ priority }) => this.hasRoom(priority))
        .toSorted((a, b) => (fifo === true ? 0 : rank[a.priority] - rank[b.priority]));
      if (next === undefined) return;
      next.state = 'running';
    }
  }
}

const anySettings = fc.record({
  max: fc.integer({ min: 1, max: 8 }),
  queue: fc.nat({ max: 6 }),
  queueTimeoutMs: fc.constant(timeoutMs),
  fifo: fc.boolean(),
  shares: fc.option(
    fc.record({ normal: fc.constantFrom(0.3, 0.5, 1), low: fc.constantFrom(0.1, 0.5, 1) }),
    { nil: undefined },
  ),
});
const step = fc.oneof(
  fc.constantFrom<Priority>('high', 'normal', 'low').map((priority) => ({ want: priority })),
  fc.nat({ max: 7 }).map((nth) => ({ end: nth })),
  fc.nat({ max: 5 }).map((nth) => ({ cancel: nth })),
  anySettings.map((settings) => ({ configure: settings })),
  fc.constantFrom(1, 50, 200).map((ms) => ({ pass: ms })),
);

test('never more than the limit and the shares of it, also while they change; in order, by priority or not; nobody is lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      anySettings,
      fc.array(step, { maxLength: 120, size: 'max' }),
      async (settings, steps) => {
        const kit = aBulkhead(settings);
        const reference = new Reference(settings);
        for (const each of steps) {
          const before = kit.bulkhead.inFlight;
          if ('want' in each) {
            kit.want(each.want);
            reference.want(each.want, kit.clock.now());
          } else if ('end' in each) {
            kit.end(kit.wishes.filter(({ state }) => state === 'running')[each.end]);
            const ended = reference.in('running')[each.end];
            if (ended !== undefined) ended.state = 'done';
          } else if ('cancel' in each) {
            const waiting = kit.wishes.filter(({ state }) => state === 'waiting');
            waiting[each.cancel]?.call.end(cancelled());
            const gone = reference.in('waiting')[each.cancel];
            if (gone !== undefined) gone.state = 'refused';
          } else if ('configure' in each) {
            kit.bulkhead.configure(each.configure);
            reference.settings = each.configure;
          } else await kit.clock.advance(each.pass);
          // Nobody new is let in above the limit; who runs is not cut.
          const { inFlight } = kit.bulkhead;
          expect(inFlight).toBeLessThanOrEqual(Math.max(reference.settings.max, before));
          await kit.clock.advance(0);
          reference.settle(kit.clock.now());
          const states = reference.wishes.map(({ state }) => state);
          expect(kit.wishes.map(({ state }) => state)).toEqual(states);
          expect(inFlight).toBe(reference.in('running').length);
          expect(kit.bulkhead.waiting).toBe(reference.in('waiting').length);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('50 tasks at a limit of 5: never above 5, and all done', async () => {
  const { clock, bulkhead, want, end, wishes } = aBulkhead({
    max: 5,
    queue: 50,
    queueTimeoutMs: 60_000,
  });
  for (let task = 0; task < 50; task += 1) want();
  let most = 0;
  while (wishes.some(({ state }) => state !== 'done')) {
    most = Math.max(most, bulkhead.inFlight);
    end(wishes.find(({ state }) => state === 'running'));
    await clock.advance(1);
  }
  expect([most, bulkhead.inFlight, bulkhead.waiting]).toEqual([5, 0, 0]);
});

test('a full queue refuses at once, with its length and when to try again', () => {
  const { want } = aBulkhead({ max: 1, queue: 2, queueTimeoutMs: 1_000 });
  want();
  want();
  want();
  expect(want().error).toMatchObject({
    kind: 'exhausted',
    reason: 'CONCURRENCY_LIMIT',
    target: 'orders',
    retryAfterMs: 100,
    metadata: { queue_length: '2', waited_ms: '0' },
  });
});

test('somebody urgent takes the place of the least urgent that came last', async () => {
  const { want, clock } = aBulkhead({ max: 1, queue: 2, queueTimeoutMs: 1_000 });
  want();
  const [first, second] = [want('low'), want('low')];
  const urgent = want('high');
  await clock.advance(0);
  expect([first.state, second.state, urgent.state]).toEqual(['waiting', 'refused', 'waiting']);
  expect(second.error?.reason).toBe('CONCURRENCY_LIMIT');
});

test('first come, first served: nobody is shed, whoever comes, nor overtaken', async () => {
  const { want, end, clock } = aBulkhead({ max: 1, queue: 2, queueTimeoutMs: 1_000, fifo: true });
  const running = want();
  const [low, high] = [want('low'), want('high')];
  expect(want('high').state).toBe('refused');
  end(running);
  await clock.advance(0);
  expect([low.state, high.state]).toEqual(['running', 'waiting']);
});

test('what the less urgent may not fill is left to the urgent', async () => {
  const shares = { normal: 0.5, low: 0.1 };
  const { want, end, clock } = aBulkhead({ max: 4, queue: 9, queueTimeoutMs: 1_000, shares });
  const [low, normal] = [want('low'), want('normal')];
  const waiting = [want('low'), want('normal')];
  expect([low.state, normal.state]).toEqual(['running', 'running']);
  expect(waiting.map(({ state }) => state)).toEqual(['waiting', 'waiting']);
  expect([want('high').state, want('high').state, want('high').state]).toEqual([
    'running',
    'running',
    'waiting',
  ]);
  end(low);
  await clock.advance(0);
  end(normal);
  await clock.advance(0);
  // Three urgent ones run: more than the others may fill.
  expect(waiting.map(({ state }) => state)).toEqual(['waiting', 'waiting']);
});

test('who waits too long is refused, at its own deadline too; who gives up learns why', async () => {
  const { want, clock, bulkhead } = aBulkhead({ max: 1, queue: 5, queueTimeoutMs: 100 });
  want();
  const [patient, late, gone] = [want(), want(), want()];
  await clock.advance(50);
  late.call.end(deadlineExceeded());
  gone.call.end(cancelled());
  await clock.advance(60);
  expect(patient.error).toMatchObject({
    reason: 'CONCURRENCY_LIMIT',
    metadata: { waited_ms: '100' },
  });
  expect(late.error).toMatchObject({ reason: 'CONCURRENCY_LIMIT', metadata: { waited_ms: '50' } });
  expect(gone.error?.reason).toBe('CANCELLED');
  expect(bulkhead.waiting).toBe(0);
});

test('a call that has ended does not wait', async () => {
  const { bulkhead, want } = aBulkhead({ max: 1, queue: 5, queueTimeoutMs: 100 });
  want();
  const call = aCall();
  call.end(cancelled());
  await expect(bulkhead.admit(call, Infinity)).rejects.toMatchObject({ reason: 'CANCELLED' });
  expect(bulkhead.waiting).toBe(0);
});

test('nobody waits past the time that the call has', async () => {
  const { bulkhead, want, clock } = aBulkhead({ max: 1, queue: 5, queueTimeoutMs: 100 });
  want();
  const waiting = bulkhead.admit(aCall(), clock.now() + 30);
  waiting?.catch(() => {});
  await clock.advance(30);
  await expect(waiting).rejects.toMatchObject({
    reason: 'CONCURRENCY_LIMIT',
    metadata: { waited_ms: '30' },
  });
  expect(bulkhead.waiting).toBe(0);
});
