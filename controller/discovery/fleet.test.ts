import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Fleet } from './fleet.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('of a report that fills a message only what is shown stays in memory', async () => {
  const fleet = new Fleet();
  const report = (text: string): void => {
    const pod = { namespace: 'shop', podName: 'a', podUid: `uid-${fleet.size}` };
    const hello = { boot: '1', version: text, policyVersion: '' };
    const sidecar = fleet.join(pod, hello, '', 0);
    const fault = { policy: 'orders', field: 'spec', message: text };
    fleet.reported(sidecar, { version: 'v1', faults: [fault], restartRequired: [text] });
  };
  collect();
  const before = process.memoryUsage().external;
  for (let count = 0; count < 20; count += 1) report(Buffer.alloc(2_000_000, 'x').toString());
  collect();
  // Strings that large are given back behind the collection.
  await expect
    .poll(() => process.memoryUsage().external - before, { timeout: 5_000 })
    .toBeLessThan(10_000_000);
  expect(fleet.sidecar('uid-19')?.rejected?.faults[0]?.message).toHaveLength(512);
});

test('what a terminal would take for a command is not passed on', () => {
  const fleet = new Fleet();
  const pod = { namespace: 'shop', podName: 'a', podUid: 'uid-a' };
  const sidecar = fleet.join(pod, { boot: '1', version: '1', policyVersion: '' }, '', 0);
  const message = 'is \u001b[2J\u001b]0;mine\u0007 too\r\nmuch \u202e\ud800 für ü 日本 👍';
  const faults = [{ policy: 'orders', field: 'spec', message }];
  fleet.reported(sidecar, { version: 'v1', faults, restartRequired: [] });
  expect(fleet.sidecar('uid-a')?.rejected?.faults[0]?.message).toBe(
    'is  [2J ]0;mine  too much  \ufffd für ü 日本 👍',
  );
});
