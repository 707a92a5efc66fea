import { Client } from 'pg';
import { expect, test } from 'vitest';
import { startPostgres } from '../../scripts/servers/postgres.ts';
import { beside } from './database.test-kit.ts';
import { migrate } from './migrate.ts';
import { append, OutboxReader } from './outbox.test-kit.ts';

test('an event that was handed out has the same cursor and seq after the server has crashed, though commits do not wait for the disk', async () => {
  // Nobody else writes the log to disk meanwhile.
  const server = await startPostgres({
    settings: { synchronous_commit: 'off', wal_writer_delay: '10s', wal_writer_flush_after: '1GB' },
  });
  const { username, password, port, pathname } = new URL(server.url);
  const database = pathname.slice(1);
  const hosts = [{ host: '127.0.0.1', port: Number(port) }];
  await migrate({ hosts, user: username, password, database, tls: undefined });

  const client = new Client(server.url);
  client.on('error', () => {});
  await client.connect();
  const reader = await new OutboxReader(client, 'before').begin();
  for (const key of ['a', 'b', 'a']) await append(client, key, `${key} of before`);
  const before = await reader.look();
  expect(before).toHaveLength(3);
  await server.restart('kill');
  await client.end();

  await beside(server.url, async (again) => {
    await append(again, 'a', 'a of after');
    const all = await (await new OutboxReader(again, 'after').begin()).look();
    expect(all.slice(0, 3)).toEqual(before);
    expect(all[3]).toMatchObject({ key: 'a', seq: 3 });
    expect(all[3]?.pos).toBeGreaterThan(before[2]?.pos ?? 0);
  });
  await server.stop();
}, 60_000);
