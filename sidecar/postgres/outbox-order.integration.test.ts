import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { beside } from './database.test-kit.ts';
import { append, outboxFaults, OutboxReader, type ReadEvent } from './outbox.test-kit.ts';

let server: TestDatabase;
let sessions: Client[];

beforeAll(async () => {
  server = await testDatabase();
  sessions = Array.from({ length: 5 }, () => new Client(server.url));
  await Promise.all(sessions.map((session) => session.connect()));
});
afterAll(async () => {
  await Promise.all(sessions.map((session) => session.end()));
  await server.drop();
});
beforeEach(() =>
  beside(server.url, (client) =>
    client.query('truncate holdfast.outbox, holdfast.outbox_keys, holdfast.outbox_subscribers'),
  ),
);

type Step = () => Promise<unknown>;

/** All orders in which steps of several actors can come; each entry says whose step it is. */
function* interleavings(counts: readonly number[]): Generator<readonly number[]> {
  if (counts.every((count) => count === 0)) yield [];
  for (const [actor, count] of counts.entries()) {
    if (count === 0) continue;
    const left = counts.map((each, index) => (index === actor ? each - 1 : each));
    for (const rest of interleavings(left)) yield [actor, ...rest];
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs one order. A step that waits for another actor's goes on in the background, and the next one of its actor behind it. */
async function run(
  order: readonly number[],
  actors: readonly (readonly Step[])[],
  patienceMs: number,
): Promise<void> {
  const left = actors.map((steps) => [...steps]);
  const tails: Promise<unknown>[] = actors.map(() => Promise.resolve());
  for (const actor of order) {
    const step = left[actor]?.shift() as Step;
    const tail = tails[actor]?.then(step);
    tails[actor] = tail as Promise<unknown>;
    await Promise.race([tail, ...(patienceMs > 0 ? [sleep(patienceMs)] : [])]);
  }
  await Promise.all(tails);
}

const session = (index: number): Client => sessions[index] as Client;

/**
 * A transaction with one event; `end` is its last word. Who has the lock of its key has it until its end, so the transactions of a key go in the
 * order in which they have added their events.
 */
const writer = (
  client: Client,
  key: string,
  payload: string,
  end = 'commit',
  added: string[] = [],
): readonly Step[] => [
  async () => {
    await client.query('begin');
    await append(client, key, payload);
    added.push(payload);
  },
  () => client.query(end),
];

/** A pass that takes its time, and may crash before its end. */
const slowPass = (client: Client, end: string): readonly Step[] => [
  async () => {
    await client.query('begin');
    await client.query('select holdfast.outbox_place()');
  },
  () => client.query(end),
];

async function clear(): Promise<void> {
  await session(4).query(
    'delete from holdfast.outbox; delete from holdfast.outbox_keys; delete from holdfast.outbox_subscribers',
  );
}

test.each(['commit', 'rollback'])(
  'transactions of two keys in every order, read by two while a pass is under way that ends with %s: all of it arrives, once, in order',
  async (end) => {
    const faults: string[] = [];
    let orders = 0;
    for (const order of interleavings([2, 2, 2, 1])) {
      await clear();
      const first = await new OutboxReader(session(3), 'first').begin();
      const second = await new OutboxReader(session(4), 'second').begin();
      const actors = [
        writer(session(0), 'a', 'A'),
        writer(session(1), 'b', 'B'),
        slowPass(session(2), end),
        [() => Promise.all([first.look(), second.look()])],
      ];
      await run(order, actors, 0);
      for (const reader of [first, second]) {
        await reader.look();
        faults.push(
          ...outboxFaults(reader.events, ['A', 'B']).map((each) => `${order.join()}: ${each}`),
        );
      }
      orders += 1;
    }
    expect(orders).toBe(630);
    expect(faults).toEqual([]);
  },
);

test('transactions of one key in every order, one of which is rolled back: their events are numbered as they were committed', async () => {
  const faults: string[] = [];
  for (const order of interleavings([2, 2, 2, 1])) {
    await clear();
    const reader = await new OutboxReader(session(3), 'first').begin();
    const committed: string[] = [];
    const actors = [
      writer(session(0), 'a', 'A', 'commit', committed),
      writer(session(1), 'a', 'B', 'commit', committed),
      writer(session(2), 'a', 'C', 'rollback'),
      [() => reader.look()],
    ];
    await run(order, actors, 2);
    await reader.look();
    faults.push(
      ...outboxFaults(reader.events, committed).map((each) => `${order.join()}: ${each}`),
    );
    const came = reader.events.map(({ payload }) => payload).join();
    if (came !== committed.join()) {
      faults.push(`${order.join()}: ${committed.join()} came as ${came}`);
    }
  }
  expect(faults).toEqual([]);
});

test('a reader that goes by id misses events in the same orders, so that the test above could fail', async () => {
  const faults: string[] = [];
  for (const order of interleavings([2, 2, 1])) {
    await clear();
    const got: ReadEvent[] = [];
    let last = 0;
    const look: Step = async () => {
      const { rows } = await session(3).query<{ id: string; key: string; payload: Buffer }>(
        'select id, key, payload from holdfast.outbox where id > $1 order by id',
        [last],
      );
      for (const { id, key, payload } of rows) {
        last = Number(id);
        got.push({ pos: last, topic: 't', key, seq: 1, payload: payload.toString() });
      }
    };
    await run(order, [writer(session(0), 'a', 'A'), writer(session(1), 'b', 'B'), [look]], 0);
    await look();
    faults.push(...outboxFaults(got, ['A', 'B']));
  }
  expect(faults).toContain('missed A');
});

test('a transaction that stays open holds up nobody: neither one that writes elsewhere, nor one that has events of its own', async () => {
  await session(0).query('begin');
  await session(0).query('create table elsewhere ()');
  await session(1).query('begin');
  await append(session(1), 'held', 'late');
  const reader = await new OutboxReader(session(3), 'first').begin();
  await append(session(2), 'a', 'A');
  expect((await reader.look()).map(({ payload }) => payload)).toEqual(['A']);
  await session(1).query('commit');
  expect((await reader.look()).map(({ payload }) => payload)).toEqual(['late']);
  await session(0).query('rollback');
});
