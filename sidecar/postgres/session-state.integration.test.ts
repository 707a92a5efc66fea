import { describe, expect, test } from 'vitest';
import { aCall, beside, firstCells, rejection } from './database.test-kit.ts';
import { itemsKit, sleep } from './items.test-kit.ts';

const kit = itemsKit();
const { run } = kit;

describe('what a session remembers', () => {
  const settings = `select current_setting('search_path') || '/' || current_setting('statement_timeout')`;

  test('is wiped after a transaction that changed it', async () => {
    const [before] = firstCells(await run(settings));
    const transaction = kit.database.begin(
      {
        isolation: 'default',
        readOnly: false,
        deferrable: false,
        timeoutMs: 5_000,
        idleTimeoutMs: 5_000,
        onAborted: () => {},
      },
      aCall(),
    );
    await transaction.query({ sql: `set search_path = pg_catalog`, params: [] }, aCall());
    await transaction.query({ sql: `set statement_timeout = 1`, params: [] }, aCall());
    await transaction.commit(aCall());
    await sleep(50);
    for (let time = 0; time < 8; time += 1) {
      expect(firstCells(await run(settings))).toEqual([before]);
    }
  });

  test.each([`set local client_encoding = 'LATIN1'`, `set names 'SQL_ASCII'`])(
    'never is an encoding that answers could not be told in: %s',
    async (sql) => {
      const transaction = kit.database.begin(
        {
          isolation: 'default',
          readOnly: false,
          deferrable: false,
          timeoutMs: 5_000,
          idleTimeoutMs: 5_000,
          onAborted: () => {},
        },
        aCall(),
      );
      const batch = [sql, 'select chr(233)'].map((each) => ({ sql: each, params: [] }));
      expect(await rejection(transaction.batch(batch, aCall()))).toMatchObject({
        reason: 'TRANSACTION_ROLLED_BACK',
      });
      expect(firstCells(await run('select chr(233)'))).toEqual(['é']);
    },
  );

  test('is wiped after a statement that changed it by a function', async () => {
    await run(`select set_config('search_path', 'pg_catalog', false)`);
    await run('create temp table mine (a int)');
    await run('select pg_advisory_lock(42)');
    await sleep(50);
    for (let time = 0; time < 8; time += 1) {
      const found = await run(
        `select current_setting('search_path') || coalesce(to_regclass('mine')::text, '')`,
      );
      expect(firstCells(found)).toEqual(['"$user", public']);
    }
    const { rows } = await beside(kit.url, (client) =>
      client.query(`select 1 from pg_locks where locktype = 'advisory'`),
    );
    expect(rows).toEqual([]);
  });

  test.each([
    'set search_path = x',
    'RESET ALL',
    'declare c cursor for select 1',
    '/* a */ -- b\n commit',
    'BEGIN',
    'listen x',
    'discard all',
    'copy items to stdout',
    "prepare transaction 'x'",
  ])('cannot be changed by `%s` outside a transaction', async (sql) => {
    expect(await rejection(run(sql))).toMatchObject({
      kind: 'invalid',
      reason: 'STATEMENT_REFUSED',
    });
  });
});
