import { chmodSync, chownSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deadlineExceeded } from '../../platform/call.ts';
import { type PostgresServer, startPostgres } from '../../scripts/servers/postgres.ts';
import { temporaryFolder } from '../../scripts/servers/temporary-folder.ts';
import { testDatabase } from '../../scripts/servers/test-database.ts';
import { certificate, privateKey } from '../redis/tls-certificate.test-kit.ts';
import { aCall, firstCells, openDatabase, rejection } from './database.test-kit.ts';

let server: PostgresServer;
let folder: string;

beforeAll(async () => {
  folder = temporaryFolder('tls');
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(certFile, certificate);
  writeFileSync(keyFile, privateKey, { mode: 0o600 });
  if (process.getuid?.() === 0) {
    // The server runs as nobody then, and takes a key of root's that its group may read.
    const group = Number(execFileSync('id', ['-g', 'nobody']).toString());
    chownSync(keyFile, 0, group);
    chmodSync(keyFile, 0o640);
  }
  server = await startPostgres({
    settings: { ssl: 'on', ssl_cert_file: certFile, ssl_key_file: keyFile },
  });
}, 30_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const encrypted = { sql: 'select ssl from pg_stat_ssl where pid = pg_backend_pid()', params: [] };
const at = (host: string): string => server.url.replace('127.0.0.1', host);

test('a server whose certificate is verified is talked to, encrypted', async () => {
  const pool = openDatabase(at('localhost'), {
    tls: { rejectUnauthorized: true, ca: certificate },
  });
  expect(firstCells(await pool.database.query(encrypted, aCall()))).toEqual(['t']);
  // The cancel request goes the same way.
  const call = aCall();
  const slow = rejection(pool.database.query({ sql: 'select pg_sleep(30)', params: [] }, call));
  await new Promise((resolve) => setTimeout(resolve, 200));
  call.end(deadlineExceeded());
  expect(await slow).toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
  expect(firstCells(await pool.database.query(encrypted, aCall()))).toEqual(['t']);
  await pool.close();
});

test('Require encrypts and believes every certificate', async () => {
  const pool = openDatabase(at('127.0.0.1'), { tls: { rejectUnauthorized: false } });
  expect(firstCells(await pool.database.query(encrypted, aCall()))).toEqual(['t']);
  await pool.close();
});

test.each([
  ['of another name', '127.0.0.1', { rejectUnauthorized: true, ca: certificate }],
  ['of an unknown authority', 'localhost', { rejectUnauthorized: true }],
])('a certificate %s is refused, and nothing is sent', async (_what, host, tls) => {
  const pool = openDatabase(at(host), { tls });
  const { kind, reason, message } = await rejection(pool.database.query(encrypted, aCall()));
  expect([kind, reason]).toEqual(['unavailable', 'DATABASE_UNAVAILABLE']);
  expect(message).toMatch(/certificate|ERR_TLS_CERT_ALTNAME_INVALID|DEPTH_ZERO_SELF_SIGNED_CERT/);
  await pool.close();
});

test('a server that does not encrypt is refused where encryption is asked for', async () => {
  const plain = await testDatabase();
  const pool = openDatabase(plain.url, { tls: { rejectUnauthorized: false } });
  expect(await rejection(pool.database.query(encrypted, aCall()))).toMatchObject({
    reason: 'DATABASE_UNAVAILABLE',
  });
  await pool.close();
  await plain.drop();
});

test('a password is proved with SCRAM, and a wrong one refused without a trace of it', async () => {
  const pool = openDatabase(server.url);
  const stored = `select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = current_user`;
  expect(firstCells(await pool.database.query({ sql: stored, params: [] }, aCall()))).toEqual([
    't',
  ]);
  await pool.close();
  const url = new URL(server.url);
  url.password = 's3cret-and-wrong';
  const wrong = openDatabase(url.href);
  const error = await rejection(wrong.database.query(encrypted, aCall()));
  expect(error).toMatchObject({ reason: 'DATABASE_UNAVAILABLE', metadata: { sqlstate: '28P01' } });
  expect(JSON.stringify(error) + error.message).not.toContain('s3cret');
  await wrong.close();
});
