import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../scripts/servers/template-database.ts';
import { type TestDatabase, testDatabase } from '../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';
import { connect, type ConnectOptions, type Holdfast } from './connect.ts';
import { HoldfastError } from './errors.ts';

let database: TestDatabase;
let sidecar: TestSidecar;
let opened: Holdfast[] = [];
let names = 0;

/** A name that no other test has. */
const newName = (): string => `lock ${(names += 1)}`;

beforeAll(async () => {
  database = await testDatabase();
  await connectTo(database.url, async (client) => {
    await client.query('create table counters (id int primary key, n int not null)');
    await client.query('insert into counters values (1, 0)');
  });
  const locks = { authority: 'Postgres', ttlMs: 2_000, maxHoldMs: 3_000 };
  sidecar = await startSidecar({ databaseUrl: database.url, locks });
});

beforeEach(() => async () => {
  await Promise.all(opened.map((each) => each.close({ graceMs: 100 })));
  opened = [];
});

afterAll(async () => {
  await sidecar.stop();
  await database.drop();
});

function client(options: Partial<ConnectOptions> = {}): Holdfast {
  const made = connect({ address: sidecar.address, deadlineMs: 5_000, ...options });
  opened.push(made);
  return made;
}

const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof HoldfastError ? error.reason : String(error)),
  );

describe.each(['session', 'unary'] as const)('over %s', (transport) => {
  test('a lock is held by one, refused to others, and free again when its scope is left', async () => {
    const [one, two] = [client({ transport }).locks(), client({ transport }).locks()];
    const name = newName();
    const inside = one.withLock(name, {}, async () => {
      expect(await reasonOf(two.acquire(name, { waitMs: 0 }))).toBe('LOCK_HELD');
      throw new Error('of the work');
    });
    await expect(inside).rejects.toThrow('of the work');
    await (await two.acquire(name, { waitMs: 0 })).release();
  });

  test('a holder that goes without a word has released: the next one has it at once', async () => {
    const gone = client({ transport });
    const name = newName();
    await gone.locks().acquire(name, { ttlMs: 2_000 });
    const next = client({ transport }).locks().acquire(name);
    await sleep(50);
    const since = performance.now();
    await gone.close({ graceMs: 0 });
    await (await next).release();
    expect(performance.now() - since).toBeLessThan(1_500);
  });

  test('whoever holds a lock that is taken away is told, and cannot release it', async () => {
    const locks = client({ transport }).locks();
    const name = newName();
    const lock = await locks.acquire(name);
    const told = new Promise((resolve) => lock.signal.addEventListener('abort', resolve));
    expect(await client().locks().forceRelease(name)).toBe(1);
    await told;
    expect(lock.signal.reason).toMatchObject({
      reason: 'LOCK_LOST',
      metadata: { cause: 'forced' },
    });
    expect(await reasonOf(lock.release())).toBe('LOCK_LOST');
  });

  test('a lock is kept as long as it is renewed, and lost when it was held for too long', async () => {
    const lock = await client({ transport })
      .locks()
      .acquire(newName(), { ttlMs: 400, maxHoldMs: 900 });
    await sleep(600);
    expect(lock.signal.aborted).toBe(false);
    await sleep(500);
    expect(lock.signal.reason).toMatchObject({ metadata: { cause: 'held_too_long' } });
  });
});

describe('a fenced transaction', () => {
  const read = async (): Promise<number> => {
    const { rows } = await client().database().query<{ n: number }>('select n from counters');
    return rows[0]?.n ?? NaN;
  };
  const add = 'update counters set n = n + 1 where id = 1';

  test('is committed under its lock, in three lines', async () => {
    const holdfast = client();
    const before = await read();
    await holdfast
      .locks()
      .withLock(newName(), { fence: 'default' }, (lock) =>
        holdfast.database().transaction((tx) => tx.query(add), { locks: [lock] }),
      );
    expect(await read()).toBe(before + 1);
  });

  test('is rolled back when its lock is lost in the middle', async () => {
    const holdfast = client();
    const before = await read();
    const name = newName();
    const work = holdfast.locks().withLock(name, { fence: 'default' }, (lock) =>
      holdfast.database().transaction(
        async (tx) => {
          await tx.query(add);
          await holdfast.locks().forceRelease(name);
          await sleep(100);
          await tx.query(add);
        },
        { locks: [lock] },
      ),
    );
    expect(await reasonOf(work)).toBe('LOCK_LOST');
    expect(await read()).toBe(before);
  });

  test('cannot begin under a lock that has no fence, was released, or is of somebody else', async () => {
    const holdfast = client();
    const begin = (leaseId: string): Promise<string> =>
      reasonOf(holdfast.database().transaction((tx) => tx.query(add), { locks: [{ leaseId }] }));
    const plain = await holdfast.locks().acquire(newName());
    expect(await begin(plain.leaseId)).toBe('INVALID_REQUEST');
    await plain.release();
    expect(await begin(plain.leaseId)).toBe('UNKNOWN_LEASE');
    expect(await begin('a guess')).toBe('UNKNOWN_LEASE');
  });
});

test('an owner has its lock again, with the same token, and it is free after as many releases', async () => {
  const [mine, others] = [client().locks(), client().locks()];
  const [name, owner] = [newName(), 'job 7'];
  const first = await mine.acquire(name, { owner });
  const second = await mine.acquire(name, { owner });
  expect(second.token()).toBe(first.token());
  expect(second.leaseId).not.toBe(first.leaseId);
  expect((await mine.list(name)).locks[0]?.holders[0]).toMatchObject({ owner, count: 2 });
  await first.release();
  expect(await reasonOf(others.acquire(name, { waitMs: 0 }))).toBe('LOCK_HELD');
  await second.release();
  await (await others.acquire(name, { waitMs: 0 })).release();
});
