import { describe, expect, test } from 'vitest';
import { TestClock } from '../../platform/test-clock.ts';
import { Call, cancelled } from '../../platform/call.ts';
import { SafeRetries } from './safe-retries.ts';

const scope = { onClose: () => () => {}, push: () => {} };
const aCall = (deadlineAtMs = Infinity): Call => new Call({ scope, deadlineAtMs });

/** Whether it is tried again, and after how long: the clock goes on until it is told. */
async function again(
  retries: SafeRetries,
  clock: TestClock,
  { tries = 1, call = aCall() } = {},
): Promise<readonly [boolean, number]> {
  const startedAtMs = clock.now();
  const told: boolean[] = [];
  void retries.again(tries, call).then((may) => told.push(may));
  while (told.length === 0) await clock.advance(1);
  return [told[0] === true, clock.now() - startedAtMs];
}

describe('something safe is repeated', () => {
  test('twice, after pauses that grow', async () => {
    const clock = new TestClock();
    const retries = new SafeRetries({ clock, random: () => 1 });
    const first = await again(retries, clock, { tries: 1 });
    const second = await again(retries, clock, { tries: 2 });
    expect([first[0], second[0]]).toEqual([true, true]);
    expect(second[1]).toBeGreaterThan(3 * first[1]);
    expect(await again(retries, clock, { tries: 3 })).toEqual([false, 1]);
  });

  test('never past its deadline, nor after its call has ended', async () => {
    const clock = new TestClock();
    const retries = new SafeRetries({ clock, random: () => 1 });
    expect((await again(retries, clock, { call: aCall(clock.now() + 20) }))[0]).toBe(false);
    const call = aCall();
    call.end(cancelled());
    expect((await again(retries, clock, { call }))[0]).toBe(false);
  });
});

describe('the budget', () => {
  /** How many of so many are repeated, asked all at once. */
  const repeated = async (retries: SafeRetries, clock: TestClock, of: number): Promise<number> => {
    const asked = Array.from({ length: of }, () => retries.again(1, aCall()));
    await clock.advance(0);
    return (await Promise.all(asked)).filter(Boolean).length;
  };
  const spent = async (): Promise<{ clock: TestClock; retries: SafeRetries }> => {
    const clock = new TestClock();
    const retries = new SafeRetries({ clock, random: () => 0 });
    expect(await repeated(retries, clock, 300)).toBe(256);
    return { clock, retries };
  };

  test('is refilled by ten a second', async () => {
    const { clock, retries } = await spent();
    await clock.advance(500);
    expect(await repeated(retries, clock, 10)).toBe(5);
  });

  test('is refilled by a tenth of all calls', async () => {
    const { clock, retries } = await spent();
    for (let call = 0; call < 31; call += 1) retries.deposit();
    expect(await repeated(retries, clock, 10)).toBe(3);
  });
});
