import { expect, test } from 'vitest';
import { TestClock } from '../../platform/test-clock.ts';
import type { Settings } from '../config.ts';
import { SettingsWatch } from './settings-watch.ts';

test('settings are read every second, and a fault is told once', async () => {
  const clock = new TestClock();
  const told: unknown[] = [];
  let current: Settings | Error = { graceMs: 1 } as Settings;
  const watch = new SettingsWatch({
    clock,
    read: () => {
      if (current instanceof Error) throw current;
      return current;
    },
    onRead: ({ graceMs }) => told.push(graceMs),
    onFault: (message) => told.push(message),
  });
  await clock.advance(2_500);
  current = new Error('half a file');
  await clock.advance(2_000);
  current = { graceMs: 2 } as Settings;
  await clock.advance(1_000);
  current = new Error('half a file');
  await clock.advance(1_000);
  watch.stop();
  await clock.advance(5_000);
  expect(told).toEqual([1, 1, 'half a file', 2, 'half a file']);
});
