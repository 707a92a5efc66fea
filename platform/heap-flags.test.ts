import { expect, test } from 'vitest';
import { controllerHeap, heapFlags, memoryLimit, sidecarHeap } from './heap-flags.ts';

const gibibyte = 1024 ** 3;
const none = { memoryBytes: undefined, execArgv: [], nodeOptions: '' };

const young = '--max-semi-space-size=4';
const old = '--max-old-space-size=160';
const noPretenuring = '--no-allocation-site-pretenuring';

test('without a limit the heap has 160 MiB', () => {
  expect(heapFlags(none, sidecarHeap)).toEqual([young, old, noPretenuring]);
});

test.each([
  [64, 64],
  [160, 80],
  [256, 128],
  [320, 160],
  [8_192, 160],
])('of %i MiB the heap has %i', (limit, heap) => {
  expect(heapFlags({ ...none, memoryBytes: limit * 1024 ** 2 }, sidecarHeap)).toContain(
    `--max-old-space-size=${heap}`,
  );
});

test('what somebody has chosen stays, however it is written', () => {
  const semi = [young, noPretenuring];
  expect(heapFlags({ ...none, execArgv: ['--max-old-space-size=300'] }, sidecarHeap)).toEqual(semi);
  expect(heapFlags({ ...none, nodeOptions: '--max_old_space_size 300' }, sidecarHeap)).toEqual(
    semi,
  );
  const pretenuring = ['--allocation-site-pretenuring'];
  expect(heapFlags({ ...none, execArgv: pretenuring }, sidecarHeap)).toEqual([young, old]);
});

test('the setting goes before the cgroup, and a cgroup without a limit has none', () => {
  expect(memoryLimit('1000', gibibyte, 2 * gibibyte)).toBe(1_000);
  expect(memoryLimit(undefined, gibibyte, 2 * gibibyte)).toBe(gibibyte);
  expect(memoryLimit('much', gibibyte, 2 * gibibyte)).toBe(gibibyte);
  expect(memoryLimit(undefined, 0, gibibyte)).toBeUndefined();
  expect(memoryLimit(undefined, 2 ** 64, gibibyte)).toBeUndefined();
});

test('a controller has more, and half of its limit too', () => {
  expect(heapFlags(none, controllerHeap)).toContain('--max-old-space-size=1024');
  expect(heapFlags({ ...none, memoryBytes: gibibyte }, controllerHeap)).toContain(
    '--max-old-space-size=512',
  );
});
