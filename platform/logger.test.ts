import { execFileSync } from 'node:child_process';
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
