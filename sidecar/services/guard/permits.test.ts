import { expect, test } from 'vitest';
import { Deadlines } from '../../../platform/deadlines.ts';
import type { HoldfastError } from '../../../platform/errors.ts';
import { TestClock } from '../../../platform/test-clock.ts';
import { OpenScope } from '../../grpc/open-scope.ts';
import type { Entry } from '../../resilience/target.ts';
import { Permits } from './permits.ts';

function open() {
  const clock = new TestClock();
  const settled: string[] = [];
  const expired: string[] = [];
  let lastId = 0;
  const permits = new Permits({
    clock,
    deadlines: new Deadlines(clock),
    newId: () => `${(lastId += 1)}`,
    events: { expired: (target, cause) => expired.push(`${target} ${cause}`) },
  });
  const entry: Entry = {
    settle: (outcome, cost) => {
      settled.push(`${outcome} ${cost}`);
      return 0;
    },
  };
  return { clock, permits, entry, settled, expired };
}

const session = (): OpenScope => new OpenScope(undefined, undefined, true);

test('a permit ends once: by Exit, lease or session, whichever comes first', async () => {
  const { clock, permits, entry, settled, expired } = open();
  const scope = session();
  const one = permits.open('llm', entry, scope, 100);
  const two = permits.open('llm', entry, scope, 100);
  permits.open('llm', entry, scope, 0);
  expect(permits.exit(one, 'success', 5)).toBe(0);
  await clock.advance(110);
  expect([settled, expired, permits.size]).toEqual([
    ['success 5', 'dropped undefined'],
    ['llm lease'],
    1,
  ]);
  scope.close();
  await clock.advance(110);
  expect([settled.length, expired, permits.size]).toEqual([3, ['llm lease', 'llm session'], 0]);
  for (const id of [one, two]) {
    expect(() => permits.exit(id, 'success', 0)).toThrow('no permit of this id is open');
  }
  expect([...permits.counts]).toEqual([['llm', 0]]);
});

test('a permit of a session that is closed already ends at once', () => {
  const { permits, entry, expired } = open();
  const scope = session();
  scope.close();
  permits.open('llm', entry, scope, 0);
  expect([expired, permits.size]).toEqual([['llm session'], 0]);
});

test('a permit of a call by itself does not end with the call', () => {
  const { permits, entry } = open();
  const scope = new OpenScope();
  permits.open('llm', entry, scope, 1_000);
  scope.close();
  expect(permits.size).toBe(1);
});

test('those that are open and those that are waited for are bounded together', async () => {
  const { permits, entry } = open();
  const scope = session();
  let enter = (_entry: Entry): void => {};
  const waiting = permits.holdPlace('llm', () => new Promise((resolve) => (enter = resolve)));
  for (let at = 1; at < 20_000; at += 1) permits.open('llm', entry, scope, 0);
  const refusal = await permits
    .holdPlace('llm', () => entry)
    .catch((error: unknown) => error as HoldfastError);
  expect(refusal).toMatchObject({ reason: 'CONCURRENCY_LIMIT', target: 'llm', retryAfterMs: 100 });
  enter(entry);
  await waiting;
  expect(await permits.holdPlace('llm', () => entry)).toBe(entry);
});
