import { expect, test } from 'vitest';
import { TestClock } from '../../platform/test-clock.ts';
import type { Settings } from '../config.ts';
import { SettingsWatch } from './settings-watch.ts';

function aWatch() {
  const clock = new TestClock();
  const told: unknown[] = [];
  const file = { text: 'a', signature: '1' };
  let reads = 0;
  const watch = new SettingsWatch({
    clock,
    signature: () => file.signature,
    read: () => {
      reads += 1;
      if (file.text === '') throw new Error('half a file');
      return { policyDigest: file.text } as Settings;
    },
    onRead: ({ policyDigest }) => told.push(policyDigest),
    onFault: ({ message }) => told.push(message),
  });
  return { clock, told, file, watch, reads: () => reads };
}

test('settings are read every second, and a fault is told once', async () => {
  const { clock, told, file, watch } = aWatch();
  await clock.advance(2_500);
  file.text = '';
  await clock.advance(2_000);
  file.text = 'b';
  await clock.advance(1_100);
  file.text = '';
  await clock.advance(1_100);
  watch.stop();
  await clock.advance(5_000);
  expect(told).toEqual(['a', 'a', 'half a file', 'b', 'half a file']);
});

test('a new policy file is read within 250 ms of its last write, and not before', async () => {
  const { clock, told, file, reads } = aWatch();
  await clock.advance(1_500);
  told.length = 0;
  const before = reads();
  // Somebody writes it in pieces, longer than a second.
  for (let piece = 2; piece < 40; piece += 1) {
    Object.assign(file, { text: '', signature: String(piece) });
    await clock.advance(50);
  }
  expect(reads()).toBe(before);
  Object.assign(file, { text: 'b', signature: 'whole' });
  await clock.advance(180);
  expect(told).toEqual(['b']);
});
