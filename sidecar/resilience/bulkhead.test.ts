import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Call, cancelled, deadlineExceeded, type Priority } from '../../platform/call.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { TestClock } from '../../platform/test-clock.ts';
import { Bulkhead } from './bulkhead.ts';

const scope = { onClose: () => () => {}, push: () => {} };
const aCall = (priority: Priority = 'normal'): Call =>
  new Call({ scope, deadlineAtMs: Infinity, priority });

/** What became of one who wanted in. */
interface Wish {
  readonly call: Call;
  state: 'waiting' | 'running' | 'refused' | 'done';
  error?: HoldfastError;
  readonly order: number;
}

function aBulkhead(settings: { max: number; queue: number; queueTimeoutMs: number }) {
  const clock = new TestClock();
  const bulkhead = new Bulkhead(settings, { target: 'orders', clock });
  const wishes: Wish[] = [];
  /** Those that were let in, in that order. */
  const admitted: Wish[] = [];
  const want = (priority: Priority = 'normal'): Wish => {
    const wish: Wish = { call: aCall(priority), state: 'waiting', order: wishes.length };
    wishes.push(wish);
    const run = (): void => {
      wish.state = 'running';
      admitted.push(wish);
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
  return { clock, bulkhead, wishes, admitted, want, end };
}

const event = fc.oneof(
  fc.constantFrom<Priority>('high', 'normal', 'low').map((priority) => ({ want: priority })),
  fc.nat({ max: 30 }).map((nth) => ({ end: nth })),
  fc.nat({ max: 30 }).map((nth) => ({ cancel: nth })),
  fc.integer({ min: 1, max: 6 }).map((max) => ({ resize: max })),
  fc.constantFrom(1, 50, 200).map((ms) => ({ pass: ms })),
);

test('never more than the limit, also while it changes; by priority, then in the order in which they came; nobody is lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 120 }), async (events) => {
      const kit = aBulkhead({ max: 3, queue: 5, queueTimeoutMs: 300 });
      const broken: string[] = [];
      let max = 3;
      for (const each of events) {
        const before = kit.bulkhead.inFlight;
        if ('want' in each) {
          const waiting = kit.wishes.filter(({ state }) => state === 'waiting');
          kit.want(each.want);
          const mayRun = before < max && waiting.length === 0;
          if (mayRun && kit.wishes.at(-1)?.state !== 'running') broken.push('there was room');
          if (kit.bulkhead.waiting > 5) broken.push('too many wait');
        } else if ('end' in each) {
          kit.end(kit.wishes.filter(({ state }) => state === 'running')[each.end]);
        } else if ('cancel' in each) {
          kit.wishes.filter(({ state }) => state === 'waiting')[each.cancel]?.call.end(cancelled());
        } else if ('resize' in each) {
          max = each.resize;
          kit.bulkhead.configure({ max, queue: 5, queueTimeoutMs: 300 });
        } else await kit.clock.advance(each.pass);
        // Nobody new is let in above the limit; who runs is not cut.
        expect(kit.bulkhead.inFlight).toBeLessThanOrEqual(Math.max(max, before));
        const first = kit.admitted.length;
        await kit.clock.advance(0);
        const rank = { high: 0, normal: 1, low: 2 };
        const granted = kit.admitted.slice(first);
        const sorted = granted.toSorted(
          (a, b) => rank[a.call.priority] - rank[b.call.priority] || a.order - b.order,
        );
        expect(granted).toEqual(sorted);
        const running = kit.wishes.filter(({ state }) => state === 'running');
        expect(running).toHaveLength(kit.bulkhead.inFlight);
        const waiting = kit.wishes.filter(({ state }) => state === 'waiting');
        expect(waiting).toHaveLength(kit.bulkhead.waiting);
        if (waiting.length > 0 && running.length < max) broken.push('somebody waits beside room');
      }
      kit.bulkhead.configure({ max: 100, queue: 5, queueTimeoutMs: 300 });
      await kit.clock.advance(0);
      expect(kit.wishes.filter(({ state }) => state === 'waiting')).toEqual([]);
      expect(broken).toEqual([]);
    }),
    { numRuns: 300 },
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
