import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  startTestBed,
  testCertificate,
  tlsName,
} from '../controller/discovery/discovery.test-kit.ts';
import { podFolder, startControlledSidecar } from '../sidecar/controlled-sidecar.test-kit.ts';
import { snapshotOf } from '../sidecar/control/discovery-server.test-kit.ts';

/** The sidecar and the controller's side of discovery, as they are, together. */

const soon = { interval: 10, timeout: 10_000 };
const guard = (max: number) => ({
  targets: [{ kind: 'Guard', name: 'llm', concurrency: { max } }],
});
const given = (...specs: object[]) => snapshotOf(specs) as { version: string; policies: [] };

function aPod() {
  const folder = podFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  writeFileSync(join(folder.path, 'token'), 'shop.web');
  const ca = testCertificate('first').certificate;
  const start = async (port: number) => {
    const trust = { ca, serverName: tlsName };
    const sidecar = await startControlledSidecar(folder.path, `127.0.0.1:${port}`, trust);
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopped ??= sidecar.stop());
    onTestFinished(stop);
    return { ...sidecar, stop };
  };
  return { start };
}

test('a policy goes from the controller to the sidecar, and what became of it comes back', async () => {
  const bed = await startTestBed();
  const { start } = aPod();
  const good = given(guard(5));
  bed.snapshots.set('uid-web', good);
  const sidecar = await start(bed.port);
  const known = () => bed.fleet.sidecar('uid-web');
  await expect.poll(() => known()?.applied, soon).toBe(good.version);
  expect((await sidecar.inspect()).digest).toBe(good.version);

  const bad = given(guard(0));
  bed.snapshots.set('uid-web', bad);
  bed.server.policiesChanged('shop');
  await expect
    .poll(() => known()?.rejected, soon)
    .toEqual({
      version: bad.version,
      faults: [
        {
          policy: 'policy-0',
          field: 'spec.targets[0].concurrency.max',
          message: 'must be at least 1',
        },
      ],
    });
  expect(known()?.applied).toBe(good.version);

  const next = given({ ...guard(7), postgres: [{ name: 'db', secretRef: { name: 'gone' } }] });
  bed.snapshots.set('uid-web', next);
  bed.server.policiesChanged();
  await expect.poll(() => known()?.applied, soon).toBe(next.version);
  expect(known()).toMatchObject({
    rejected: undefined,
    restartRequired: [expect.stringContaining('the secret "gone" (key "url") is not mounted')],
  });

  // The next start is known by its version, and what it does without is told again.
  await sidecar.stop();
  await expect.poll(known, soon).toBeUndefined();
  await start(bed.port);
  await expect.poll(() => known()?.restartRequired.length, soon).toBe(1);
  expect(known()?.applied).toBe(next.version);
  expect(await bed.metric('snapshots_sent_total')).toBe(3);
});

test('a sidecar moves to the leader, and stays where it is while that cannot be reached', async () => {
  const [home, leader] = [await startTestBed(), await startTestBed()];
  for (const bed of [home, leader]) bed.snapshots.set('*', given(guard(5)));
  const { start } = aPod();
  home.leader = { isSelf: false, address: '127.0.0.1:1' };
  const sidecar = await start(home.port);
  await expect.poll(() => home.fleet.size, soon).toBe(1);
  home.leader = { isSelf: false, address: `127.0.0.1:${leader.port}` };
  home.server.leaderChanged();
  await expect.poll(() => leader.fleet.size, soon).toBe(1);
  await expect.poll(() => home.fleet.size, soon).toBe(0);
  expect((await sidecar.inspect()).controller?.connectedTo).toBe(`127.0.0.1:${leader.port}`);
  // The leader is gone, and says so.
  home.leader = { isSelf: true, address: '' };
  await leader.server.stop();
  await expect.poll(() => home.fleet.size, soon).toBe(1);
});
