/**
 * A small shop: orders in PostgreSQL, a counter in Redis, both through the sidecar that the pod was given. It knows no password and no server.
 *
 *     POST /orders {"item": "tea"}  → {"id": 1}
 *     GET  /orders                  → {"orders": 1, "placed": 1}
 */
import { createServer, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { connect, HoldfastError } from '@holdfast/client';

const { HOLDFAST_ADDRESS: address = 'unix:/run/holdfast/s.sock', PORT: port = '8080' } =
  process.env;
const holdfast = connect({ address, deadlineMs: 5_000 });
const db = holdfast.database();
const redis = holdfast.redis();

async function place(request: IncomingMessage): Promise<object> {
  const { item } = (await json(request)) as { item: string };
  // Without the commit, the end of the block rolls back.
  await using tx = await db.begin();
  const { rows } = await tx.query<{ id: number }>(
    'insert into orders (item) values ($1) returning id',
    [item],
  );
  await tx.commit();
  await redis.command('INCR', 'orders:placed');
  return { id: rows[0]?.id };
}

async function count(): Promise<object> {
  const { rows } = await db.query<{ orders: number }>('select count(*)::int as orders from orders');
  const placed = await redis.command('GET', 'orders:placed');
  return { orders: rows[0]?.orders, placed: Number(placed ?? 0) };
}

const server = createServer((request, response) => {
  const answer = async (): Promise<object> => {
    if (request.url === '/orders') return request.method === 'POST' ? place(request) : count();
    return {};
  };
  answer().then(
    (body) => response.end(JSON.stringify(body)),
    (error: unknown) => {
      const reason = error instanceof HoldfastError ? error.reason : String(error);
      response.writeHead(503).end(JSON.stringify({ reason }));
    },
  );
});

await db.query(
  'create table if not exists orders (id int generated always as identity primary key, item text not null)',
);
server.listen(Number(port));
process.on('SIGTERM', () => server.close(() => void holdfast.close()));
