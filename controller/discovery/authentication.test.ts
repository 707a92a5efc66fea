import { expect, test } from 'vitest';
import { TestClock } from '../../platform/test-clock.ts';
import { Authentication, type Review, type Unanswered } from './authentication.ts';

const pod = { namespace: 'shop', podName: 'a', podUid: 'u' };

function start(answer: (token: string) => Promise<Review>) {
  const clock = new TestClock();
  const asked: string[] = [];
  const faults: unknown[] = [];
  const authentication = new Authentication({
    clock,
    review: (token) => {
      asked.push(token);
      return answer(token);
    },
    onFault: (fault) => faults.push(fault),
  });
  return { clock, asked, faults, authentication };
}

test('a good token is asked about once a minute', async () => {
  const { clock, asked, authentication } = start(() => Promise.resolve({ pod }));
  for (let at = 0; at < 4; at += 1) {
    expect(await authentication.authenticate('t')).toEqual({ pod });
    await clock.advance(29_999);
  }
  expect(asked).toEqual(['t', 't']);
  expect(clock.alarms).toBe(0);
});

test('a good token is not believed beyond its end', async () => {
  const { clock, asked, authentication } = start(() =>
    Promise.resolve({ pod, expiresAtMs: 5_000 }),
  );
  await authentication.authenticate('t');
  await clock.advance(5_000);
  await authentication.authenticate('t');
  expect(asked).toEqual(['t', 't']);
});

test('a bad token is asked about every 10 s', async () => {
  const { clock, asked, authentication } = start(() => Promise.resolve({ refused: 'invalid' }));
  for (let at = 0; at < 4; at += 1) {
    expect(await authentication.authenticate('t')).toEqual({ refused: 'invalid' });
    await clock.advance(5_000);
  }
  expect(asked).toEqual(['t', 't']);
});

test('who asks about the same token at the same time gets the same answer', async () => {
  const { asked, authentication } = start(() => Promise.resolve({ pod }));
  const all = await Promise.all([1, 2, 3].map(() => authentication.authenticate('t')));
  expect(all).toEqual([{ pod }, { pod }, { pod }]);
  expect(asked).toEqual(['t']);
});

test('no more than 32 are asked about at once, 10,000 wait, and others are refused', async () => {
  const answers: (() => void)[] = [];
  const { asked, authentication } = start(
    () => new Promise((resolve) => answers.push(() => resolve({ pod }))),
  );
  const ends: (Review | Unanswered)[] = [];
  const ask = (token: string): void =>
    void authentication.authenticate(token).then((end) => ends.push(end));
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (let at = 0; at < 32; at += 1) ask(`first-${at}`);
  await turn();
  for (let at = 0; at < 10_010; at += 1) ask(`t${at}`);
  await turn();
  expect(asked).toHaveLength(32);
  expect(ends).toEqual(Array.from({ length: 10 }, () => ({ refused: 'busy' })));
  let most = 0;
  while (answers.length > 0) {
    most = Math.max(most, answers.length);
    for (const answer of answers.splice(0)) answer();
    await turn();
  }
  expect([most, ends.length, asked.length]).toEqual([32, 10_042, 10_032]);
});

test('an API server that fails or is silent is no word about the token', async () => {
  let fails = true;
  const { clock, asked, faults, authentication } = start(() =>
    fails ? Promise.reject(new Error('no')) : new Promise(() => undefined),
  );
  expect(await authentication.authenticate('t')).toEqual({ refused: 'unavailable' });
  fails = false;
  const silent = authentication.authenticate('t');
  await clock.advance(5_000);
  expect(await silent).toEqual({ refused: 'unavailable' });
  expect([asked.length, faults.length, clock.alarms]).toEqual([2, 2, 0]);
});
