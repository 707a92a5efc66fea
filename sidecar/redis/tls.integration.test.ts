import { createConnection, type AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { redisUrl } from '../../scripts/servers/test-database.ts';
import type { RedisOptions } from './redis-options.ts';
import { RedisPool } from './redis-pool.ts';
import { certificate, privateKey } from './tls-certificate.test-kit.ts';

let server: Server;

beforeAll(async () => {
  const { port } = new URL(redisUrl());
  server = createServer({ cert: certificate, key: privateKey }, (near) => {
    const far = createConnection(Number(port), '127.0.0.1');
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
});
afterAll(() => {
  server.close();
});

/** How many of two connections stand, and what kept the others. */
async function connect(
  host: string,
  tls: RedisOptions['connection']['tls'],
): Promise<[number, string[]]> {
  const faults: string[] = [];
  const pool = new RedisPool(
    {
      name: 'default',
      connections: 2,
      maxInFlight: 10,
      blockingConnections: 1,
      operationTtlMs: 1_000,
      subscriberBufferBytes: 1_024,
      commandTimeoutMs: 1_000,
      connectTimeoutMs: 1_000,
      maxReplyBytes: 1_024,
      connection: {
        place: { kind: 'server', host, port: (server.address() as AddressInfo).port },
        user: undefined,
        password: undefined,
        database: 0,
        tls,
      },
    },
    {
      clock: systemClock,
      random: () => 1,
      events: {
        connected: () => {},
        disconnected: (fault) => faults.push(fault),
        timedOut: () => {},
        gap: () => {},
      },
    },
  );
  await pool.open();
  const ready = pool.readyConnections;
  await pool.close();
  return [ready, faults];
}

test('VerifyFull with the authority of the server', async () => {
  expect(await connect('localhost', { rejectUnauthorized: true, ca: certificate })).toEqual([
    2,
    [],
  ]);
});

test('VerifyFull refuses a server whose authority it does not know', async () => {
  expect(await connect('localhost', { rejectUnauthorized: true })).toEqual([
    0,
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ]);
});

test('VerifyFull refuses a server of another name', async () => {
  const address = (server.address() as AddressInfo).address;
  expect(await connect(address, { rejectUnauthorized: true, ca: certificate })).toEqual([
    0,
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ]);
});

test('Require takes any server that encrypts', async () => {
  expect(await connect('localhost', { rejectUnauthorized: false })).toEqual([2, []]);
});

test('plain text to a server that encrypts is no connection', async () => {
  const [ready] = await connect('localhost', undefined);
  expect(ready).toBe(0);
});
