import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { makeLogger } from './logger.ts';

test('the level is the one that was asked for', () => {
  expect(makeLogger('silent', 'sidecar').level).toBe('silent');
  expect(makeLogger('warn', 'sidecar').isLevelEnabled('info')).toBe(false);
});

test('a log is lines of JSON on stdout, with the level by its name and the time in ISO 8601', () => {
  const program = `
    import { makeLogger } from ${JSON.stringify(new URL('logger.ts', import.meta.url).href)};
    const log = makeLogger('info', 'sidecar');
    log.debug('not told');
    log.warn({ pool: 'orders', err: new Error('no') }, 'it is slow');
  `;
  const lines = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  }).trimEnd();
  const line = JSON.parse(lines) as Record<string, unknown>;
  expect(line).toMatchObject({
    level: 'warn',
    name: 'sidecar',
    pool: 'orders',
    msg: 'it is slow',
    err: { type: 'Error', message: 'no' },
  });
  expect(new Date(line['time'] as string).toISOString()).toBe(line['time']);
});

test('a log that cannot be written does no harm', () => {
  const program = `
    import { makeLogger } from ${JSON.stringify(new URL('logger.ts', import.meta.url).href)};
    const log = makeLogger('info', 'sidecar');
    for (let line = 0; line < 1_000; line += 1) log.info('x'.repeat(1_000));
    setTimeout(() => process.exit(7), 10);
  `;
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { stdio: ['ignore', full, 'pipe'], encoding: 'utf8', timeout: 5_000 },
  );
  closeSync(full);
  expect({ status, stderr }).toEqual({ status: 7, stderr: '' });
});
