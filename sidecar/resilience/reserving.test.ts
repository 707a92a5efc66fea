import { describe, expect, test } from 'vitest';
import { cancelled } from '../../platform/call.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { LateLedger } from './late-ledger.test-kit.ts';
import { aCall, aTarget, breaker, failed } from './target.test-kit.ts';
import type { TargetSettings } from './target-parts.ts';

const cost = { estimate: 5, reservationMs: 60_000 };
const concurrency = { max: 1, queue: 5, queueTimeoutMs: 60_000 };

function reserving(settings: TargetSettings = {}, call = aCall()) {
  const ledger = new LateLedger();
  const kit = aTarget({ cost, concurrency, ...settings }, ledger);
  const { answers } = kit.run([], { call });
  const [asked] = ledger.asked;
  if (asked === undefined) throw new Error('nothing was reserved');
  return { ...kit, ledger, asked, answers, call };
}

test('a try waits for its reservation, and settles it', async () => {
  const timeout = { totalMs: 30_000, perTryMs: 0 };
  const { clock, ledger, asked, answers, target, tries } = reserving({ timeout });
  await clock.advance(10);
  expect([answers, tries, target.gate.inFlight]).toEqual([[], [], 1]);
  asked.grant();
  await clock.advance(0);
  expect([answers, tries, target.gate.inFlight]).toEqual([['done'], [10], 0]);
  expect([ledger.settled, ledger.released]).toEqual([[undefined], 0]);
  await clock.advance(20);
  expect(clock.alarms).toBe(0);
});

describe('what ends while its reservation is under way is given back', () => {
  test('a call that its caller gives up, whose reservation is granted all the same', async () => {
    const { clock, ledger, asked, answers, target, call, tries } = reserving();
    call.end(cancelled());
    asked.grant();
    await clock.advance(0);
    expect(answers).toMatchObject([{ kind: 'cancelled' }]);
    expect([target.gate.inFlight, ledger.open.size, ledger.released]).toEqual([0, 0, 1]);
    expect(tries).toEqual([]);
  });

  test('a call whose time for all tries is up: the books are told, and the caller learns of which setting', async () => {
    const { clock, ledger, asked, answers, target } = reserving({
      timeout: { totalMs: 100, perTryMs: 0 },
    });
    await clock.advance(110);
    expect(asked.call.ended?.kind).toBe('deadline');
    asked.refuse(asked.call.ended as HoldfastError);
    await clock.advance(0);
    expect(answers).toMatchObject([{ reason: 'TARGET_TIMEOUT' }]);
    expect((answers[0] as HoldfastError).message).toContain('timeout.totalMs');
    expect([target.gate.inFlight, ledger.open.size]).toEqual([0, 0]);
  });

  test.each([
    ['a lost answer', failed('unavailable'), 1],
    [
      'a refusal, which put nothing aside',
      new HoldfastError('exhausted', 'COST_BUDGET_EXCEEDED', 'too much'),
      0,
    ],
  ])('%s', async (_what, error, released) => {
    const { clock, ledger, asked, answers, target } = reserving();
    asked.refuse(error);
    await clock.advance(0);
    expect(answers).toEqual([error]);
    expect([target.gate.inFlight, ledger.released]).toEqual([0, released]);
  });

  test('a try that the rate refuses afterwards', async () => {
    const kit = reserving({ concurrency: undefined, rate: { perSecond: 1, burst: 1 } });
    const second = kit.run([]);
    for (const { grant } of kit.ledger.asked) grant();
    await kit.clock.advance(0);
    expect([kit.answers, second.answers]).toMatchObject([['done'], [{ reason: 'RATE_LIMITED' }]]);
    expect([kit.target.gate.inFlight, kit.ledger.open.size, kit.ledger.released]).toEqual([
      0, 0, 1,
    ]);
  });

  test('a try whose breaker has opened meanwhile', async () => {
    const kit = reserving({ concurrency: undefined, breaker });
    const others = [kit.run([failed('unavailable')]), kit.run([failed('unavailable')])];
    for (const { grant } of kit.ledger.asked.slice(1)) grant();
    await kit.clock.advance(0);
    expect(others.map(({ answers }) => answers.length)).toEqual([1, 1]);
    kit.asked.grant();
    await kit.clock.advance(0);
    expect(kit.answers).toMatchObject([{ reason: 'BREAKER_OPEN' }]);
    expect([kit.target.gate.inFlight, kit.ledger.open.size, kit.ledger.released]).toEqual([
      0, 0, 1,
    ]);
  });
});

test('a policy without a budget comes while a reservation is under way: it is settled where it was made', async () => {
  const { clock, ledger, asked, answers, target } = reserving();
  target.configure({});
  asked.grant();
  await clock.advance(0);
  expect([answers, ledger.open.size, ledger.settled]).toEqual([['done'], 0, [undefined]]);
});

test('nothing is reserved for a call that ends while it waits for its turn', async () => {
  const { clock, ledger, asked, run, target } = reserving();
  const { answers, call } = run([]);
  await clock.advance(1);
  call.end(cancelled());
  asked.grant();
  await clock.advance(0);
  expect(answers).toMatchObject([{ kind: 'cancelled' }]);
  expect([ledger.asked.length, target.gate.inFlight, target.gate.waiting]).toEqual([1, 0, 0]);
});
