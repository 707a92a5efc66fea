import { expect, test } from 'vitest';
import { constantLoad } from './constant-load.test-kit.ts';

test('30 s of constant load leave nothing on the heap', async () => {
  const { calls, grownBytes, inFlight } = await constantLoad(30_000);
  console.info(`${calls} calls, the heap has grown by ${grownBytes} bytes`);
  expect(grownBytes).toBeLessThan(5e6);
  expect(grownBytes / calls).toBeLessThan(100);
  expect(inFlight).toBe(0);
});
