import { expect, test } from 'vitest';
import { controller, lists, ports, rows } from './books.test-kit.ts';

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
  books.podsDeleted((pod) => pod === 'b');
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

test('one that leaves gives back all of its share at once, and nothing of it may land later', () => {
  const { books, beat, pass, join } = controller(8, 1);
  join('a', 'b');
  beat('a', { demand: 6 });
  pass(250);
  expect(beat('a', { demand: 6 })?.share).toBe(6);
  expect(books.free).toBe(1);
  // Its share runs, and it will not use it.
  beat('a', { share: 6, leaving: true });
  expect(books.free).toBe(7);
  for (let ms = 0; ms < 20_000; ms += 1_000) {
    pass(1_000);
    beat('b', { share: 1 });
    expect(books.free).toBe(7);
  }
});

test('a lowered total takes effect as sessions drain', () => {
  const { books, beat, pass, join } = controller(10);
  join('a');
  beat('a', { share: 8, ports: ports(8), demand: 8 });
  books.configure({ total: 5, reserve: 0, floor: 0, ceiling: 100, leaseMs: 10_000 }, 1);
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

test('nobody is answered by one that does not lead', () => {
  const { leads, beat, join } = controller(10);
  join('a');
  leads.is = false;
  expect(beat('a', { demand: 4 })).toBeUndefined();
  leads.is = true;
  expect(beat('a', { demand: 4 })?.share).toBe(1);
});

test('a sidecar that the server sees at another address is known by that', () => {
  const { books, beat, join } = controller(10);
  join('a');
  const own = { share: 1, ports: [1], address: '192.0.2.7' };
  const asked = beat('a', own);
  expect(books.ledgerWanted()?.entries).toMatchObject([{ address: '192.0.2.7' }]);
  const there = [{ address: '192.0.2.7', port: 1, startedAtMs: 1 }];
  beat('a', { ...own, listing: { asked: asked?.answers ?? 0, rows: there } });
  expect(books.summary.foreign).toBe(0);
});

test('more pods than the ledger has room for are not answered', () => {
  const { books, beat, pass, join } = controller(300);
  join(...Array.from({ length: 100 }, (_, at) => `pod-${at}`));
  expect(beat('late', { demand: 1 })).toBeUndefined();
  pass(1);
  expect(beat('late', { demand: 1 })).toBeUndefined();
  expect(books.summary).toMatchObject({ pods: 100, tooSmall: true });
});

test('after sessions were terminated the next listing comes soon, unless they cannot be', () => {
  const { books, beat, pass, join } = controller(10);
  join('a', 'b');
  beat('a', { share: 8, ports: ports(8), demand: 8 });
  pass(10_001);
  lists(beat, rows('a', 8));
  const own = { share: 1, ports: [50], demand: 1 };
  pass(900);
  expect(beat('b', own)?.list).toBe(false);
  pass(101);
  lists(beat, rows('a', 8));
  expect(books.free).toBeLessThan(2);
  pass(1_001);
  expect(beat('b', own)?.list).toBe(false);
  pass(4_000);
  lists(beat, []);
  expect(books.free).toBe(10 - 1 - 1);
});

test('a sidecar that never says what it applied costs no more with each heartbeat, and keeps its largest grant', () => {
  const { books, beat, pass, join } = controller(10);
  join('a');
  beat('a', { demand: 9 });
  pass(250);
  expect(beat('a', { demand: 9, answered: 0 })?.share).toBe(9);
  const beginsAt = performance.now();
  for (let count = 0; count < 20_000; count += 1) beat('a', { demand: 0, answered: 0 });
  expect(performance.now() - beginsAt).toBeLessThan(1_000);
  expect(books.summary.counted).toBe(9);
});
