/**
 * PostgreSQL and Redis through the Holdfast sidecar.
 *
 *     node examples/typescript/example.ts unix:.holdfast/run/holdfast.sock
 */
import { connect, HoldfastError } from '@holdfast/client';

const [address = 'unix:.holdfast/run/holdfast.sock'] = process.argv.slice(2);
await using holdfast = connect({ address, deadlineMs: 10_000 });
const db = holdfast.database();

// A query with parameters; columns are decoded by their type.
const { rows } = await db.query<{ next: number; tags: string[] }>(
  'select $1::int + 1 as next, $2::text[] as tags',
  [41, ['a', 'b c']],
);
console.log('query', rows[0]?.next, rows[0]?.tags);

// A transaction: without the commit, the end of the block rolls back.
await db.query('create table if not exists orders (id int primary key, total numeric)');
{
  await using tx = await db.begin({ isolation: 'serializable' });
  await tx.query('delete from orders');
  await tx.batch([
    { sql: 'insert into orders values ($1, $2)', params: [1, '19.90'] },
    { sql: 'insert into orders values ($1, $2)', params: [2, '5.00'] },
  ]);
  const savepoint = await tx.savepoint('before the doubtful part');
  await tx.query('delete from orders');
  await savepoint.rollback();
  await tx.commit();
}

// Rows as they are read.
for await (const order of db.stream('select * from orders order by id')) {
  console.log('order', order);
}

// Errors say what happened.
try {
  await db.query('insert into orders values (1, 0)');
} catch (error) {
  if (!(error instanceof HoldfastError)) throw error;
  console.log('error', error.reason, error.sqlstate, error.metadata['constraint']);
}

// A query that takes too long is cancelled on the server.
const signal = AbortSignal.timeout(100);
await db.query('select pg_sleep(5)', [], { signal }).catch((error: HoldfastError) => {
  console.log('cancelled', error.reason);
});

// Redis.
const redis = holdfast.redis();
try {
  await redis.command('SET', 'greeting', 'hello', 'PX', 60_000);
  console.log('redis', await redis.command('GET', 'greeting'));
} catch (error) {
  console.log('redis', error instanceof HoldfastError ? error.reason : error);
}
