import { expect, test } from 'vitest';
import { controller, lists, ports, rows } from './books.test-kit.ts';
import { emptyLedger, succeed } from './ledger.ts';

test('a new leader grows nothing for one lease, and then only behind a listing', () => {
  const entries = ['a', 'b'].map((pod) => {
    return { pod, address: `at-${pod}`, boot: 1, floor: 1, former: false };
  });
  const { books, beat, pass } = controller(20, 1, {
    version: 8,
    epoch: 4,
    leaseMs: 10_000,
    entries,
  });
  const a = { share: 3, ports: ports(3), demand: 9 };
  expect(beat('a', a)).toMatchObject({ share: 3, epoch: 4, list: false });
  pass(9_000);
  expect(beat('a', a)).toMatchObject({ share: 3, list: false });
  pass(1_001);
  const asked = beat('a', a);
  expect(asked).toMatchObject({ share: 3, list: true });
  const listing = { asked: asked?.answers ?? 0, rows: [...rows('a', 3), ...rows('b', 6)] };
  beat('a', { ...a, listing });
  pass(250);
  expect(books.free).toBe(20 - 3 - 7);
  expect(beat('a', a)?.share).toBe(9);
});

test('the next leader knows that an earlier boot left sessions', () => {
  const { books, beat, pass } = controller(20);
  beat('a');
  pass(1);
  beat('a', { boot: 2 });
  const ledger = books.ledgerWanted() ?? emptyLedger;
  expect(ledger.entries).toMatchObject([{ boot: 2, former: true }]);

  const next = controller(20, 0, succeed(ledger));
  next.join('b');
  next.beat('a', { boot: 2, share: 6 });
  next.pass(10_001);
  next.beat('a', { boot: 2, share: 6 });
  lists(next.beat, rows('a', 6));
  expect(next.books.free).toBe(20 - 1 - 6 - 6 - 1);
  // Nothing of it is left, and nothing can land any more.
  next.pass(55_000);
  next.beat('a', { boot: 2, share: 6 });
  lists(next.beat, []);
  next.books.tick(next.time.nowMs);
  const [entry] = next.books.ledgerWanted()?.entries ?? [];
  expect(entry).toMatchObject({ pod: 'a', former: false });
});

test('a longer lease is granted when the ledger has it, a shorter one at once, and is written when the longer grants are over', () => {
  const { books, terms, beat, pass, join } = controller(10);
  join('a');
  books.configure({ ...terms, leaseMs: 20_000 }, 1);
  expect(beat('a')?.leaseMs).toBe(10_000);
  pass(1);
  expect(beat('a')?.leaseMs).toBe(20_000);
  books.configure({ ...terms, leaseMs: 5_000 }, 2);
  expect(beat('a', { share: 8, demand: 8 })?.leaseMs).toBe(5_000);
  pass(19_900);
  expect(books.ledger.leaseMs).toBe(20_000);
  pass(200);
  expect(books.ledger.leaseMs).toBe(5_000);
});

test('the next leader waits for the longest lease that may run', () => {
  const entries = [{ pod: 'a', address: 'at-a', boot: 1, floor: 1, former: false }];
  const { books } = controller(20, 1, { version: 8, epoch: 4, leaseMs: 60_000, entries });
  const asked = books.answer(
    {
      pod: 'a',
      address: '',
      boot: 1,
      number: 1,
      epoch: 4,
      answered: 0,
      share: 3,
      demand: 9,
      ports: [1],
    },
    59_000,
  );
  expect(asked).toMatchObject({ share: 3, list: false });
});
