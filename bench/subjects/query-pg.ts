/** The point query with node-postgres: each client one query at a time, or several in a pipeline. */
import pg from 'pg';
import { load, settings as given, type LoadSettings } from '../load.ts';

interface Settings extends LoadSettings {
  readonly url: string;
  readonly accounts: number;
  readonly clients: number;
  readonly pipeline: number;
}

const settings = given as Settings;
const text = 'SELECT id, owner, balance FROM accounts WHERE id = $1';
const clients = await Promise.all(
  Array.from({ length: settings.clients }, async () => {
    const client = new pg.Client({
      connectionString: settings.url,
      pipeline: settings.pipeline === 1,
    });
    await client.connect();
    return client;
  }),
);
// Directly a prepared statement has a name; Debian's PgBouncer keeps none in transaction mode.
const name = settings.url.includes('bench@') ? {} : { name: 'point' };
let next = 0;
const free = [...clients];
const waiting: ((client: pg.Client) => void)[] = [];

async function one(client: pg.Client): Promise<void> {
  const id = 1 + Math.floor(Math.random() * settings.accounts);
  const { rows } = await client.query({ ...name, text, values: [id] });
  if (rows.length !== 1) throw new Error('the row is missing');
}

async function pipelined(): Promise<void> {
  next += 1;
  await one(clients[next % clients.length] as pg.Client);
}

async function alone(): Promise<void> {
  const client = free.pop() ?? (await new Promise<pg.Client>((resolve) => waiting.push(resolve)));
  await one(client);
  const waiter = waiting.shift();
  if (waiter === undefined) free.push(client);
  else waiter(client);
}

await load(settings, settings.pipeline === 1 ? pipelined : alone);
