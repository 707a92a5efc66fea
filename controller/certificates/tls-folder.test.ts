import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeLogger } from '../../platform/logger.ts';
import { TestClock } from '../../platform/test-clock.ts';
import { rotate } from './rotation.ts';
import { secretOfState } from './tls-secret.ts';
import { watchTlsFolder } from './tls-folder.ts';

const logger = makeLogger('silent', 'test');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-tls-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function put(files = ['tls.crt', 'tls.key', 'ca.crt']): Promise<Record<string, string>> {
  const data = secretOfState(await rotate(undefined, ['a.b.svc'], 0));
  for (const file of files) writeFileSync(join(folder, file), data[file] ?? '');
  return data;
}

test('files of a mounted Secret are used, and new ones too', async () => {
  const clock = new TestClock();
  const first = await put();
  const watched = await watchTlsFolder(folder, clock, logger);
  expect(watched.current.certificate).toBe(first['tls.crt']);
  expect(watched.current.authorities).toBe(first['ca.crt']);
  const heard: string[] = [];
  watched.onChange(({ certificate }) => heard.push(certificate));
  const second = await put();
  await watched.check();
  expect(watched.current.key).toBe(second['tls.key']);
  expect(heard).toEqual([second['tls.crt']]);
  watched.close();
});

test('half of a new Secret is not taken', async () => {
  const first = await put();
  const watched = await watchTlsFolder(folder, new TestClock(), logger);
  await put(['tls.crt']);
  await expect(watched.check()).rejects.toThrow('not the key');
  expect(watched.current.certificate).toBe(first['tls.crt']);
  watched.close();
});

test('without ca.crt nobody could check the others: it is no beginning, and the old files stay', async () => {
  const first = await put();
  const watched = await watchTlsFolder(folder, new TestClock(), logger);
  for (const text of ['', 'nonsense', undefined]) {
    const path = join(folder, 'ca.crt');
    if (text === undefined) unlinkSync(path);
    else writeFileSync(path, text);
    await expect(watched.check()).rejects.toThrow('ca.crt in');
    await expect(watchTlsFolder(folder, new TestClock(), logger)).rejects.toThrow('ca.crt in');
  }
  expect(watched.current.authorities).toBe(first['ca.crt']);
  watched.close();
});

test('a folder without a certificate is no beginning', async () => {
  await expect(watchTlsFolder(folder, new TestClock(), logger)).rejects.toThrow(folder);
});
