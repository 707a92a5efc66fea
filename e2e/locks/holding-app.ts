/**
 * Reads a counter under a lock, writes it, and commits, each when it is told to by a line: `node holding-app.ts ADDRESS LOCK MAX_HOLD_MS fenced|unfenced`.
 * Says by lines how far it is: `read`, `written`, `committed`, or `failed` with a reason.
 */
import { createInterface } from 'node:readline';
import { connect } from '../../clients/typescript/index.ts';
import { reasonOf } from './lock-client.ts';

const [address = '', name = '', maxHoldMs = '', how = ''] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const holdfast = connect({ address, deadlineMs: 20_000 });
const db = holdfast.database();
const fence = how === 'fenced' ? 'default' : '';
try {
  const lock = await holdfast.locks().acquire(name, { fence, maxHoldMs: Number(maxHoldMs) });
  const { rows } = await db.query<{ n: number }>('select n from counters where lock = $1', [name]);
  say('read');
  await lines.next();
  const transaction = await db.begin({ locks: fence === '' ? [] : [lock] });
  const params = [name, Number(rows[0]?.n) + 1];
  await transaction.query('update counters set n = $2 where lock = $1', params);
  say('written');
  await lines.next();
  await transaction.commit();
  say('committed');
} catch (error) {
  say(`failed ${reasonOf(error)}`);
}
await holdfast.close();
process.exit(0);
