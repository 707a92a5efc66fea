import { expect, test } from 'vitest';
import { Books } from './books.ts';
import { emptyLedger, succeed, type Ledger } from './ledger.ts';
import type { Grant, Heartbeat, SessionRow } from './share-messages.ts';

const options = {
  leaseMs: 10_000,
  lateConnectMs: 60_000,
  listEveryMs: 5_000,
  forgetAfterMs: 60_000,
};

/** Books of `total`, with a clock that tests move, and sidecars by name. */
function controller(total: number, floor = 0, ledger: Ledger = succeed(emptyLedger)) {
  const terms = { total, reserve: 0, floor, ceiling: 100 };
  const books = new Books(ledger, terms, options, 0);
  const numbers = new Map<string, number>();
  const time = { nowMs: 0 };
  const beat = (pod: string, more: Partial<Heartbeat> = {}): Grant | undefined => {
    const key = `${pod} ${more.boot ?? 1}`;
    const number = more.number ?? (numbers.get(key) ?? 0) + 1;
    numbers.set(key, number);
    const about = { pod, address: `at-${pod}`, boot: 1, number, epoch: 0, answered: number - 1 };
    return books.answer({ ...about, share: 0, demand: 0, ports: [], ...more }, time.nowMs);
  };
  /** Lets time pass, and everything be written that is to be. */
  const pass = (ms: number): void => {
    time.nowMs += ms;
    books.tick(time.nowMs);
    const wanted = books.ledgerWanted();
    if (wanted !== undefined) books.ledgerStored(wanted, time.nowMs);
    books.tick(time.nowMs);
  };
  /** A sidecar that the ledger knows. */
  const join = (...pods: string[]): void => {
    for (const pod of pods) beat(pod, { demand: 1 });
    pass(1);
  };
  return { books, time, beat, pass, join };
}

const ports = (count: number, from = 1): number[] =>
  Array.from({ length: count }, (_, at) => from + at);
const rows = (pod: string, count: number, from = 1): SessionRow[] =>
  ports(count, from).map((port) => ({ address: `at-${pod}`, port, startedAtMs: port }));

test('a boot is answered when it is in the ledger, and not before', () => {
  const { books, beat, pass } = controller(10);
  expect(beat('a', { demand: 4 })).toBeUndefined();
  const entry = { pod: 'a', address: 'at-a', boot: 1, floor: 0, former: false };
  expect(books.ledgerWanted()?.entries).toEqual([entry]);
  pass(1);
  expect(beat('a', { demand: 4 })?.share).toBe(4);
});

test('floors are at most half of the budget, and the rest lives on grants', () => {
  const { books, beat, join } = controller(10, 2);
  join('a', 'b', 'c');
  expect(['a', 'b', 'c'].map((pod) => beat(pod, { demand: 1 })?.floor)).toEqual([2, 2, 0]);
  expect(books.summary.tooSmall).toBe(true);
});

test('a share shrinks in the books only when a heartbeat says that it was applied', () => {
  const { beat, pass, join } = controller(10);
  join('a', 'b');
  beat('a', { demand: 10 });
  pass(250);
  expect(beat('a', { demand: 10 })?.share).toBe(9);
  const busy = { share: 9, ports: ports(9), demand: 10 };
  beat('a', busy);
  beat('b', { demand: 10 });
  pass(250);
  expect(beat('a', busy)?.share).toBe(5);
  expect(beat('b', { demand: 10 })?.share).toBe(1);
  // Applied, but sessions drain.
  beat('a', { share: 5, ports: ports(7), demand: 10 });
  expect(beat('b', { demand: 10 })?.share).toBe(3);
  beat('a', { share: 5, ports: ports(5), demand: 10 });
  expect(beat('b', { demand: 10 })?.share).toBe(5);
});

test('a share that is not used yet is not free before its smaller successor was applied', () => {
  const { beat, pass, join } = controller(10);
  join('a', 'b');
  beat('a', { demand: 10 });
  pass(250);
  beat('a', { demand: 10 });
  beat('a', { share: 9, demand: 0 });
  beat('b', { demand: 10 });
  pass(250);
  expect(beat('b', { demand: 10 })?.share).toBe(1);
  beat('a', { share: 9, demand: 9 });
  pass(250);
  expect(beat('a', { share: 9, demand: 9 })?.share).toBe(5);
  expect(beat('b', { demand: 10 })?.share).toBe(1);
});

test('a grant that may still arrive counts, though the heartbeat after it says less', () => {
  const { beat, pass, join } = controller(10);
  join('a', 'b');
  beat('a', { demand: 10 });
  pass(250);
  expect(beat('a', { demand: 10, number: 5 })?.share).toBe(9);
  beat('a', { demand: 0, number: 6, answered: 1 });
  beat('b', { demand: 10 });
  pass(250);
  expect(beat('b', { demand: 10 })?.share).toBe(1);
});

test('heartbeats that are not newer than the last change nothing', () => {
  const { books, beat, join } = controller(10);
  join('a');
  beat('a', { number: 7, share: 6, ports: ports(6), demand: 6 });
  expect(beat('a', { number: 7 })).toBeUndefined();
  expect(beat('a', { number: 6 })).toBeUndefined();
  expect(books.free).toBe(4);
});

test('what a silent sidecar had is free only when a listing of afterwards shows it, less what may still land', () => {
  const { books, beat, pass, join } = controller(10);
  join('a', 'b');
  beat('a', { share: 8, ports: ports(8), demand: 8 });
  pass(10_001);
  expect(books.free).toBe(2);
  const asked = beat('b', { share: 1, ports: [50], demand: 9 });
  expect(asked?.list).toBe(true);
  const listing = { asked: asked?.answers ?? 0, rows: [...rows('a', 2), ...rows('b', 1, 50)] };
  const told = beat('b', { share: 1, ports: [50], demand: 9, listing });
  expect(told?.terminate).toEqual(rows('a', 2));
  expect(books.free + (told?.share ?? 0)).toBe(7);
  pass(60_000);
  expect(books.free).toBe(7);
});

test('sessions of an earlier boot count until they are listed, and are ended', () => {
  const { books, beat, pass, join } = controller(10);
  join('a', 'b');
  beat('a', { share: 4, ports: ports(4), demand: 4 });
  beat('a', { boot: 2, demand: 4 });
  pass(5_001); // the first boot was asked for a listing, which is given up
  expect(books.free).toBe(6);
  const asked = beat('b', { share: 1, ports: [50] });
  const listing = { asked: asked?.answers ?? 0, rows: [...rows('a', 3), ...rows('b', 1, 50)] };
  beat('b', { share: 1, ports: [50], listing });
  pass(1);
  beat('a', { boot: 2, demand: 4 });
  pass(5_001);
  expect(beat('a', { boot: 1, number: 99 })).toBeUndefined();
  beat('a', { boot: 2, demand: 4 });
  const again = beat('b', { share: 1, ports: [50] });
  const second = { asked: again?.answers ?? 0, rows: listing.rows };
  expect(beat('b', { share: 1, ports: [50], listing: second })?.terminate).toEqual(rows('a', 3));
});

test('a new leader grows nothing for one lease, and then only behind a listing', () => {
  const entries = ['a', 'b'].map((pod) => {
    return { pod, address: `at-${pod}`, boot: 1, floor: 1, former: false };
  });
  const { books, beat, pass } = controller(20, 1, { version: 8, epoch: 4, entries });
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

test('sessions of strangers count', () => {
  const { books, beat, join } = controller(10);
  join('a');
  const asked = beat('a', { share: 1, ports: [1] });
  const listing = { asked: asked?.answers ?? 0, rows: [...rows('a', 1), ...rows('other', 4)] };
  beat('a', { share: 1, ports: [1], listing });
  expect(books.summary.foreign).toBe(4);
  expect(books.free).toBe(5);
});

test('one that leaves frees its floor; one whose pod is deleted only when it is silent and has nothing for long', () => {
  const { books, beat, pass, join } = controller(10, 2);
  join('a', 'b', 'c');
  beat('a', { share: 0, leaving: true });
  books.podDeleted('b');
  pass(250);
  expect(books.ledgerWanted()).toBeUndefined();
  expect(beat('c', { share: 0, demand: 5, ports: [50] })?.floor).toBe(2);
  for (let passedMs = 0; passedMs < 80_000; passedMs += 5_000) {
    pass(5_000);
    const asked = beat('c', { share: 2, ports: [50], demand: 5 });
    const listing = { asked: asked?.answers ?? 0, rows: rows('c', 1, 50) };
    beat('c', { share: 2, ports: [50], demand: 5, listing });
    const known = passedMs < 65_000;
    expect(books.summary.pods === 3).toBe(known);
  }
});

test('a lowered total takes effect as sessions drain', () => {
  const { books, beat, pass, join } = controller(10);
  join('a');
  beat('a', { share: 8, ports: ports(8), demand: 8 });
  books.configure({ total: 5, reserve: 0, floor: 0, ceiling: 100 });
  pass(250);
  expect(books.free).toBe(-3);
  expect(beat('a', { share: 8, ports: ports(8), demand: 8 })?.share).toBe(5);
});

test('an earlier boot that was never listed counts on when the newer one is silent and comes back', () => {
  const { books, beat, pass, join } = controller(10);
  join('a');
  beat('a', { share: 8, ports: ports(8), demand: 8 });
  beat('a', { boot: 2 });
  pass(10_001);
  beat('a', { boot: 2 });
  expect(books.free).toBeLessThanOrEqual(2);
});

/** `b` lists for everybody: it is asked with its heartbeat, and answers with the next. */
function lists(beat: ReturnType<typeof controller>['beat'], others: readonly SessionRow[]): void {
  const own = { share: 1, ports: [50], demand: 1 };
  const asked = beat('b', own);
  expect(asked?.list).toBe(true);
  const all = [...others, ...rows('b', 1, 50)];
  beat('b', { ...own, listing: { asked: asked?.answers ?? 0, rows: all } });
}

test('what is left of an earlier boot is not taken for the newer one, however long it lasts', () => {
  const { books, beat, pass, join } = controller(20);
  join('a', 'b');
  beat('a', { share: 6, ports: ports(6), demand: 6 });
  beat('a', { boot: 2, share: 6 });
  for (const waitMs of [5_001, 60_000]) {
    pass(waitMs);
    lists(beat, rows('a', 6));
    beat('a', { boot: 2, share: 6, answered: 0 });
  }
  expect(books.free).toBe(20 - 1 - 6 - 6);
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
