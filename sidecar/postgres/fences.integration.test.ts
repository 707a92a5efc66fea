import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { cancelled } from '../../platform/call.ts';
import { aCall, firstCells, rejection } from './database.test-kit.ts';
import type { Fence } from './fence-check.ts';
import { fenceKit, read, settlesWithin, write } from './fences.test-kit.ts';

const kit = fenceKit();

test('tokens grow, over all locks and modes', async () => {
  const lock = kit.newLock();
  const values = [];
  for (const mode of ['exclusive', 'shared', 'shared', 'exclusive'] as const) {
    values.push((await kit.raise(lock, mode)).value, (await kit.raise(kit.newLock(), mode)).value);
  }
  expect(values).toEqual(values.toSorted((a, b) => Number(a - b)));
  expect(new Set(values).size).toBe(8);
});

describe('a holder with a successor', () => {
  test('is refused from its next transaction on, by name, and nothing of it runs', async () => {
    const lock = kit.newLock();
    const old = await kit.raise(lock);
    expect(await kit.works([old])).toBe('committed');
    await kit.raise(lock);
    const before = await kit.counter();
    const aborted: string[] = [];
    const transaction = kit.begin([old], { onAborted: ({ reason }) => aborted.push(reason) });
    const [first, second] = [transaction.query(write, aCall()), transaction.query(write, aCall())];
    const both = await Promise.all([rejection(first), rejection(second)]);
    expect(both[0]).toMatchObject({
      kind: 'conflict',
      reason: 'FENCED',
      message: `lock "${lock}" has a newer holder`,
      target: 'default',
      metadata: { sqlstate: 'HF001' },
    });
    expect(both[1]).toMatchObject({ reason: 'FENCED' });
    expect(await rejection(transaction.commit(aCall()))).toMatchObject({ reason: 'FENCED' });
    expect(aborted).toEqual(['FENCED']);
    expect(await kit.counter()).toBe(before);
  });

  test('is refused when it commits a transaction of which nothing was asked', async () => {
    const old = await kit.raise(kit.newLock());
    await kit.begin([old]).commit(aCall());
    await kit.raise(old.lock);
    expect(await rejection(kit.begin([old]).commit(aCall()))).toMatchObject({ reason: 'FENCED' });
  });

  test.each(['between read and write', 'at COMMIT'])(
    'that is open %s is waited for, and its work counts',
    async (where) => {
      const old = await kit.raise(kit.newLock());
      const before = await kit.counter();
      const transaction = kit.begin([old]);
      await transaction.query(read, aCall());
      if (where === 'at COMMIT') await transaction.query(write, aCall());
      const successor = kit.raise(old.lock);
      expect(await settlesWithin(successor, 150)).toBe(false);
      if (where !== 'at COMMIT') await transaction.query(write, aCall());
      await transaction.commit(aCall());
      await successor;
      expect(await kit.counter()).toBe(before + 1);
      expect(await kit.works([old])).toBe('FENCED');
    },
  );

  test('that stays open for longer than fenceWaitMs loses its session, and its work does not count', async () => {
    const old = await kit.raise(kit.newLock());
    const before = await kit.counter();
    const transaction = kit.begin([old]);
    await transaction.query(write, aCall());
    kit.terminated = 0;
    const startedAt = performance.now();
    await kit.raise(old.lock, 'exclusive', { waitMs: 200 });
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThan(195);
    expect(tookMs).toBeLessThan(1_000);
    expect(await rejection(transaction.commit(aCall()))).toMatchObject({
      reason: 'TRANSACTION_ROLLED_BACK',
    });
    await expect.poll(() => kit.terminated).toBe(1);
    expect(await kit.counter()).toBe(before);
  });

  test('whose process is stopped loses its session after fenceWaitMs', async () => {
    const old = await kit.raise(kit.newLock());
    const script = `import pg from 'pg';
      const client = new pg.Client(process.argv[1]);
      await client.connect();
      await client.query('begin');
      await client.query('select holdfast.check_fences($1, $2, $3)', [[process.argv[2]], ['x'], [process.argv[3]]]);
      await client.query('update counters set n = 1000 where id = 1');
      console.log('open');
      setTimeout(() => client.query('commit'), 2000);`;
    const args = ['--input-type=module', '-e', script, kit.url, old.lock, `${old.value}`];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    child.kill('SIGSTOP');
    await kit.raise(old.lock, 'exclusive', { waitMs: 100 });
    expect(await kit.counter()).not.toBe(1000);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  test('several transactions of one grant run side by side, and all are waited for', async () => {
    const old = await kit.raise(kit.newLock());
    const open = [kit.begin([old]), kit.begin([old]), kit.begin([old])];
    await Promise.all(open.map((each) => each.query(read, aCall())));
    const successor = kit.raise(old.lock);
    for (const each of open) {
      expect(await settlesWithin(successor, 40)).toBe(false);
      await each.commit(aCall());
    }
    await successor;
  });

  test('that lives and begins one transaction after the other, so that one is always open, is shut out all the same', async () => {
    const old = await kit.raise(kit.newLock());
    let fenced = 0;
    const keepOpen = async (): Promise<void> => {
      while (fenced < 3) {
        const transaction = kit.begin([old]);
        try {
          await transaction.query(read, aCall());
          await sleep(20);
          await transaction.commit(aCall());
        } catch (error) {
          if ((error as { reason: string }).reason === 'FENCED') fenced += 1;
        }
      }
    };
    const busy = [keepOpen(), keepOpen(), keepOpen()];
    await sleep(50);
    const startedAt = performance.now();
    await kit.raise(old.lock, 'exclusive', { waitMs: 100 });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await Promise.all(busy);
  });

  test('one that was overtaken while it raised is refused: the later raise wins', async () => {
    const old = await kit.raise(kit.newLock());
    const transaction = kit.begin([old]);
    await transaction.query(read, aCall());
    const both = [kit.raise(old.lock), kit.raise(old.lock)];
    await sleep(50);
    await transaction.commit(aCall());
    const [one, two] = await Promise.all(both);
    const [first, last] = [one, two].toSorted((a, b) =>
      Number((a?.value ?? 0n) - (b?.value ?? 0n)),
    );
    expect([await kit.works([first as Fence]), await kit.works([last as Fence])]).toEqual([
      'FENCED',
      'committed',
    ]);
  });
});

describe('shared and exclusive holders', () => {
  test('shared ones work side by side; an exclusive one shuts all of them out, and the next shared one it', async () => {
    const lock = kit.newLock();
    const one = await kit.raise(lock, 'shared');
    const two = await kit.raise(lock, 'shared');
    expect([await kit.works([one]), await kit.works([two])]).toEqual(['committed', 'committed']);
    const writer = await kit.raise(lock);
    expect([await kit.works([one]), await kit.works([two]), await kit.works([writer])]).toEqual([
      'FENCED',
      'FENCED',
      'committed',
    ]);
    const three = await kit.raise(lock, 'shared');
    expect([await kit.works([writer]), await kit.works([three])]).toEqual(['FENCED', 'committed']);
  });

  test.each([
    ['exclusive', 'shared', true],
    ['shared', 'exclusive', true],
    ['shared', 'shared', false],
  ] as const)('an open %s one makes a %s one wait: %s', async (open, next, waits) => {
    const old = await kit.raise(kit.newLock(), open);
    const transaction = kit.begin([old]);
    await transaction.query(read, aCall());
    const successor = kit.raise(old.lock, next);
    expect(await settlesWithin(successor, 100)).toBe(!waits);
    await transaction.commit(aCall());
    await successor;
  });

  test('of several locks one that is fenced is enough', async () => {
    const names = [`"b\\'{},`, 'ü', 'NULL', kit.newLock()];
    const fences = [];
    for (const name of names) {
      fences.push(await kit.raise(name, name === 'ü' ? 'shared' : 'exclusive'));
    }
    expect(await kit.works(fences)).toBe('committed');
    await kit.raise('ü');
    expect(await kit.works(fences)).toBe('FENCED');
    expect(await kit.works(fences.filter(({ lock }) => lock !== 'ü'))).toBe('committed');
  });
});

test('READ ONLY is refused before anything is sent', async () => {
  const fence = await kit.raise(kit.newLock());
  const transaction = kit.begin([fence], { readOnly: true });
  expect(await rejection(transaction.started())).toMatchObject({
    kind: 'invalid',
    reason: 'INVALID_REQUEST',
  });
  expect(await rejection(transaction.query(read, aCall()))).toMatchObject({
    reason: 'INVALID_REQUEST',
  });
});

test('a raise that waits ends with its call, and its holder has lost nothing by it', async () => {
  const old = await kit.raise(kit.newLock());
  const transaction = kit.begin([old]);
  await transaction.query(read, aCall());
  const call = aCall();
  const successor = rejection(kit.raise(old.lock, 'exclusive', { call }));
  await sleep(50);
  call.end(cancelled());
  expect(await successor).toMatchObject({ reason: 'CANCELLED' });
  await transaction.commit(aCall());
  expect(await kit.works([old])).toBe('committed');
});

test('a mark beside a fence that fails is not left', async () => {
  const old = await kit.raise(kit.newLock());
  const commitId = `fenced ${old.lock}`;
  expect(await kit.works([old], { commitId: `${commitId} before` })).toBe('committed');
  expect(await kit.works([old], { commitId: `${commitId} before` })).toBe('COMMIT_ID_USED');
  await kit.raise(old.lock);
  expect(await kit.works([old], { commitId })).toBe('FENCED');
  expect(await kit.pool.database.outcome(commitId, aCall())).toBe('rolled-back');
});

test('a counter that is read and written under the lock, by holders that pause, is exact with the fence and not without', async () => {
  const increments = async (isFenced: boolean): Promise<number> => {
    await kit.direct.query('update counters set n = 0');
    const lock = kit.newLock();
    let committed = 0;
    const others = new Set<string>();
    const holder = async (at: number): Promise<void> => {
      for (let round = 0; round < 8; round += 1) {
        // Nobody keeps them apart: as if all leases ran out at once.
        const fence = await kit.raise(lock);
        const transaction = kit.begin(isFenced ? [fence] : []);
        try {
          const [n] = firstCells(await transaction.query(read, aCall()));
          await sleep((at * 7 + round * 3) % 11);
          await transaction.query(
            { sql: 'update counters set n = $1 where id = 1', params: [`${Number(n) + 1}`] },
            aCall(),
          );
          await sleep((at * 3 + round * 5) % 7);
          await transaction.commit(aCall());
          committed += 1;
        } catch (error) {
          others.add((error as { reason: string }).reason);
          await transaction.rollback().catch(() => {});
        }
      }
    };
    await Promise.all(Array.from({ length: 6 }, (_, at) => holder(at)));
    expect(committed).toBeGreaterThan(0);
    expect([...others]).toEqual(isFenced ? ['FENCED'] : []);
    return (await kit.counter()) - committed;
  };
  expect(await increments(true)).toBe(0);
  expect(await increments(false)).toBeLessThan(0);
});
