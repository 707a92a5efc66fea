import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HoldfastError } from '../../platform/errors.ts';
import { cutPoints, openTruth, type Report, type Truth } from './commit-truth.test-kit.ts';
import { aCall, firstCells, plainBegin } from './database.test-kit.ts';
import { event } from './outbox.test-kit.ts';

const hitsPerPoint = 40;
const lanes = 8;
/** Errors that promise that nothing was committed. */
const nothing: ReadonlySet<string> = new Set(['TRANSACTION_ROLLED_BACK', 'CONNECTION_LOST']);

let truth: Truth;
beforeAll(async () => (truth = await openTruth({ pgbouncer: false })));
afterAll(() => truth.close());

async function committed(id: string, writes: boolean): Promise<void> {
  const call = aCall(15_000);
  const transaction = truth.database.begin(plainBegin, call);
  if (writes) {
    await transaction.query({ sql: 'insert into truth values ($1)', params: [id] }, call);
  }
  await transaction.commit(call, [event(id, id)]);
}

describe.each([true, false])('events of a transaction that has written before: %s', (writes) => {
  test.each(cutPoints)(
    'cut %s: what is told of the commit is true of its events',
    async (point) => {
      const before = truth.hits;
      const reports: Report[] = [];
      truth.cut(point, 'transaction');
      const lane = async (): Promise<void> => {
        while (truth.hits - before < hitsPerPoint) {
          const id = randomUUID();
          const told = await committed(id, writes).then(
            () => 'committed' as const,
            (error: unknown) => HoldfastError.from(error).reason,
          );
          reports.push({ id, told });
        }
      };
      await Promise.all(Array.from({ length: lanes }, lane));
      truth.cut(undefined, 'transaction');

      const outbox = { sql: 'select key from holdfast.outbox', params: [] };
      const events = new Set(firstCells(await truth.database.query(outbox, aCall())));
      const rows = await truth.rows();
      const wrong = reports.filter(({ id, told }) => {
        if (writes && rows.has(id) !== events.has(id)) return true;
        if (told === 'committed') return !events.has(id);
        return !nothing.has(told) || events.has(id);
      });
      expect(wrong).toEqual([]);
      expect(reports.some(({ told }) => told === 'committed')).toBe(true);
    },
  );
});
