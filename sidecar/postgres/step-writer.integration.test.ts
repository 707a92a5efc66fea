import { expect, test } from 'vitest';
import { HoldfastError } from '../../platform/errors.ts';
import { aCall, firstCells, openDatabase, rejection } from './database.test-kit.ts';
import { itemsKit } from './items.test-kit.ts';

const kit = itemsKit();
const statement = (sql: string) => ({ sql, params: [] });

test('a statement that is wrong is told so each time, however often it stands in a batch', async () => {
  const wrong = [statement('selec 1'), statement('selec 1')];
  for (let round = 0; round < 3; round += 1) {
    const results = await kit.database.looseBatch(wrong, aCall());
    expect(results.map((error) => error instanceof HoldfastError && error.metadata)).toEqual([
      expect.objectContaining({ sqlstate: '42601' }),
      expect.objectContaining({ sqlstate: '42601' }),
    ]);
  }
});

test('batches that fail half-way leave no prepared statements behind on the server', async () => {
  const pool = openDatabase(kit.url, { pool: { max: 1 } });
  const transaction = pool.database.begin(
    {
      isolation: 'default',
      readOnly: false,
      deferrable: false,
      timeoutMs: 20_000,
      idleTimeoutMs: 20_000,
      onAborted: () => {},
    },
    aCall(),
  );
  const control = (sql: string) => transaction.control(sql, aCall());
  await control('SAVEPOINT a');
  for (let round = 0; round < 3; round += 1) {
    const others = Array.from({ length: 250 }, (_, at) => statement(`select ${round}, ${at}`));
    for (const half of [[statement('select 1 / 0'), ...others], others]) {
      for (let use = 0; use < 2; use += 1) {
        const running = transaction.batch(half, aCall());
        await (half === others ? running : rejection(running));
        await control('ROLLBACK TO SAVEPOINT a');
      }
    }
  }
  await control('SAVEPOINT b');
  const [count] = firstCells(await control('select count(*) from pg_prepared_statements'));
  expect(Number(count)).toBeLessThanOrEqual(257);
  await transaction.rollback();
  await pool.close();
});
