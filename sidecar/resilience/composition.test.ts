import fc from 'fast-check';
import { expect, test } from 'vitest';
import { History, anySettings, anyStep } from './composition.test-kit.ts';

const nothingLeft = {
  inFlight: 0,
  waiting: 0,
  reserved: 0,
  alarms: 0,
  unanswered: 0,
  faults: [],
};

test('whatever happens, and however often the policy changes: every call is answered once, no limit is exceeded, nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(
      anySettings,
      fc.array(anyStep, { maxLength: 80, size: 'max' }),
      async (settings, steps) => {
        const history = new History(settings);
        for (const step of steps) await history.step(step);
        expect(await history.finish()).toEqual(nothingLeft);
      },
    ),
    { numRuns: 500 },
  );
}, 30_000);
