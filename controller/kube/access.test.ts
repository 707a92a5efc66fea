import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestClock } from '../../platform/test-clock.ts';
import { podAccess } from './access.ts';

let folder: string;
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hf-'));
  write('ca.crt', 'PEM');
  write('token', 'first\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a pod shows its token, and the next one soon after it was rotated', async () => {
  const clock = new TestClock();
  const access = podAccess({ host: '10.96.0.1', port: '443' }, clock, folder);
  expect(access.url).toBe('https://10.96.0.1:443');
  expect(access.tls).toEqual({ ca: 'PEM' });
  expect(await access.headers()).toEqual({ authorization: 'Bearer first' });
  write('token', 'second\n');
  expect(await access.headers()).toEqual({ authorization: 'Bearer first' });
  await clock.advance(30_000);
  expect(await access.headers()).toEqual({ authorization: 'Bearer second' });
});

test('an API server with an IPv6 address is put in brackets', () => {
  const access = podAccess({ host: 'fd00::1', port: '443' }, new TestClock(), folder);
  expect(access.url).toBe('https://[fd00::1]:443');
});
