import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../clients/typescript/index.ts';
import { freePort } from '../scripts/servers/free-port.ts';
import {
  type ControlledSidecar,
  podFolder,
  startControlledSidecar,
} from './controlled-sidecar.test-kit.ts';
import { TestController } from './control/discovery-server.test-kit.ts';
import { ownCertificate } from './control/own-certificate.test-kit.ts';

let folder: ReturnType<typeof podFolder>;
let controller: TestController;
const running = new Set<ControlledSidecar>();
beforeEach(async () => {
  folder = podFolder();
  controller = await TestController.start();
});
afterEach(async () => {
  await Promise.all([...running].map(stop));
  controller.stop();
  folder[Symbol.dispose]();
});

const start = async (address = controller.address): Promise<ControlledSidecar> => {
  const sidecar = await startControlledSidecar(folder.path, address);
  running.add(sidecar);
  return sidecar;
};
const stop = async (sidecar: ControlledSidecar): Promise<void> => {
  running.delete(sidecar);
  await sidecar.stop();
};
const soon = { interval: 10, timeout: 5_000 };
const inForce = (sidecar: ControlledSidecar, version: string) =>
  expect.poll(async () => (await sidecar.inspect()).digest, soon).toBe(version);
const guard = (name: string, max = 5) => ({
  targets: [{ kind: 'Guard', name, concurrency: { max } }],
});
/** Why a call does not go through; undefined when it does. */
const refusalOf = async (sidecar: ControlledSidecar, target: string): Promise<unknown> => {
  const holdfast = connect({ address: sidecar.address });
  try {
    await holdfast.guard(target).run(() => Promise.resolve());
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await holdfast.close();
  }
};

describe('policies that the controller sends', () => {
  test('are in force before they are acknowledged, and come in force again as others', async () => {
    const version = controller.push([guard('llm')]);
    const sidecar = await start();
    await expect
      .poll(() => controller.reports, soon)
      .toEqual([{ version, faults: [], restartRequired: [] }]);
    expect(await sidecar.inspect()).toMatchObject({
      digest: version,
      source: 'Controller',
      controller: { connectedTo: controller.address, fault: '' },
      targets: [{ kind: 'Guard', name: 'llm', limit: 5 }],
    });
    expect(controller.hellos).toMatchObject([{ policyVersion: '', version: '0.1.0' }]);
    expect(await sidecar.metric(/^holdfast_control_connected/)).toBe(
      'holdfast_control_connected 1',
    );
    expect(await sidecar.metric(/^holdfast_policy_info/)).toContain(`"${version}"} 1`);

    const sentAtMs = performance.now();
    const next = controller.push([guard('llm', 7)]);
    await expect.poll(() => controller.reports.at(-1)?.version, { interval: 1 }).toBe(next);
    expect(performance.now() - sentAtMs).toBeLessThan(250);
    expect(await refusalOf(sidecar, 'llm')).toBeUndefined();

    const none = controller.push([]);
    await inForce(sidecar, none);
    expect(await refusalOf(sidecar, 'llm')).toMatchObject({ reason: 'UNKNOWN_TARGET' });
  });

  test.each([
    [
      { targets: [{ kind: 'Guard', name: 'llm', concurrency: { max: 0 } }] },
      'spec.targets[0].concurrency.max',
      'must be at least 1',
    ],
    [
      { targets: [{ kind: 'Postgres', name: 'db', timeout: {} }] },
      'spec.targets[0].name',
      'no Postgres',
    ],
    [{ locks: { authority: 'Redis' } }, 'spec.locks.server', 'no Redis pool is called "default"'],
    [guard('mail'), 'spec.targets[0].name', 'is the name of another target of kind Guard'],
  ])('%j is refused by policy and field, and those before stay', async (spec, field, message) => {
    const good = controller.push([guard('mail')]);
    const sidecar = await start();
    await inForce(sidecar, good);
    const bad = controller.push([guard('mail', 9), spec]);
    await expect.poll(() => controller.reports.at(-1)?.version, soon).toBe(bad);
    expect(controller.reports.at(-1)?.faults).toEqual([
      { policy: 'policy-1', field, message: expect.stringContaining(message) as string },
    ]);
    expect(await sidecar.inspect()).toMatchObject({
      digest: good,
      faults: [expect.stringContaining(`policy "policy-1": ${field}: `)],
      targets: [{ name: 'mail', limit: 5 }],
    });
    // Whatever is read again meanwhile, it stays refused.
    await sleep(1_200);
    expect((await sidecar.inspect()).faults).toHaveLength(1);
    expect(await sidecar.metric(/^holdfast_policy_rejected /)).toBe('holdfast_policy_rejected 1');

    controller.push([guard('mail')]);
    await expect.poll(async () => (await sidecar.inspect()).faults, soon).toEqual([]);
    expect(controller.reports.at(-1)).toEqual({ version: good, faults: [], restartRequired: [] });
  });

  test('what only newer sidecars know is passed over and reported, and the rest is in force', async () => {
    const spec = { ...guard('llm', 7), newBlock: { size: 1 } };
    const version = controller.push([spec]);
    const sidecar = await start();
    const told = {
      version,
      faults: [],
      restartRequired: [
        'policy "policy-0": spec.newBlock is not known to sidecar 0.1.0, and takes effect in a newer one',
      ],
    };
    await expect.poll(() => controller.reports, soon).toEqual([told]);
    expect(await sidecar.inspect()).toMatchObject({ faults: [], targets: [{ limit: 7 }] });
    await stop(sidecar);
    const restarted = await start();
    await expect.poll(() => controller.reports, soon).toEqual([told, told]);
    const next = controller.push([guard('llm', 8)]);
    await inForce(restarted, next);
    expect(controller.reports.at(-1)?.restartRequired).toEqual([]);
  });

  test('a pool whose secret is not mounted is left out, named and reported', async () => {
    controller.push([
      { ...guard('llm'), postgres: [{ name: 'orders', secretRef: { name: 'orders-db' } }] },
    ]);
    const sidecar = await start();
    const line =
      'policy "policy-0": spec.postgres[0].secretRef: the secret "orders-db" (key "url") is not mounted';
    await expect
      .poll(() => controller.reports, soon)
      .toMatchObject([{ faults: [], restartRequired: [line] }]);
    expect(await refusalOf(sidecar, 'llm')).toBeUndefined();
    const holdfast = connect({ address: sidecar.address });
    await expect(holdfast.database('orders').query('select 1')).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'SECRET_NOT_MOUNTED',
      message: expect.stringContaining(
        'the secret "orders-db" (key "url") is not mounted',
      ) as string,
    });
    await holdfast.close();
    // A controller that only knows the version is told the rest.
    for (const stream of controller.streams) stream.end();
    await expect.poll(() => controller.reports.length, soon).toBe(2);
    expect(controller.reports[1]).toEqual(controller.reports[0]);
  });
});

describe('without the controller', () => {
  test('a first start serves, and says what it waits for', async () => {
    const port = await freePort();
    const sidecar = await start(`127.0.0.1:${port}`);
    expect((await fetch(`http://127.0.0.1:${sidecar.app.httpPort}/readyz`)).status).toBe(200);
    const pending = { code: 'UNAVAILABLE', reason: 'POLICY_PENDING' };
    expect(await refusalOf(sidecar, 'llm')).toMatchObject(pending);
    const holdfast = connect({ address: sidecar.address });
    await expect(holdfast.database().query('select 1')).rejects.toMatchObject(pending);
    await expect(holdfast.redis().command('PING')).rejects.toMatchObject(pending);
    await expect(holdfast.locks().acquire('a')).rejects.toMatchObject(pending);
    await expect(holdfast.upstream('api').call({ method: 'GET', path: '/' })).rejects.toMatchObject(
      pending,
    );
    await holdfast.close();
    expect(await sidecar.inspect()).toMatchObject({ source: '', controller: { connectedTo: '' } });

    await using late = await TestController.start({ port });
    late.push([guard('llm')]);
    await expect.poll(() => refusalOf(sidecar, 'llm'), { timeout: 15_000 }).toBeUndefined();
    await stop(sidecar);
  }, 20_000);

  test('a restart serves at once under the last good policies, with a higher boot', async () => {
    const version = controller.push([guard('llm')]);
    const first = await start();
    await inForce(first, version);
    // Refused ones are not kept.
    controller.push([{ targets: [{ kind: 'Guard' }] }]);
    await expect.poll(() => controller.reports.length, soon).toBe(2);
    await stop(first);
    controller.stop();
    const second = await start();
    expect(await second.inspect()).toMatchObject({ digest: version, source: 'Controller' });
    expect(await refusalOf(second, 'llm')).toBeUndefined();
    await stop(second);

    await using back = await TestController.start();
    await start(back.address);
    await expect.poll(() => back.hellos.length, soon).toBe(1);
    expect(back.hellos[0]?.policyVersion).toBe(version);
    expect(Number(back.hellos[0]?.boot)).toBeGreaterThan(Number(controller.hellos[0]?.boot) + 1);
  });

  test.each([
    ['damaged', (text: string) => text.replace('llm', 'mll')],
    ['half written', (text: string) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
  ])(
    'last good policies that are %s are not used, and the next ones are kept',
    async (_what, damage) => {
      const version = controller.push([guard('llm')]);
      const first = await start();
      await inForce(first, version);
      await stop(first);
      const path = join(folder.path, 'state/policy');
      writeFileSync(path, damage(readFileSync(path, 'utf8')));
      const nobody = `127.0.0.1:${await freePort()}`;
      const second = await start(nobody);
      expect((await second.inspect()).digest).toBe('');
      expect(await refusalOf(second, 'llm')).toMatchObject({ reason: 'POLICY_PENDING' });
      await stop(second);
      const third = await start();
      await inForce(third, version);
      await stop(third);
      expect((await (await start(nobody)).inspect()).digest).toBe(version);
    },
  );

  test('a folder that takes nothing stops nobody', async () => {
    for (const name of ['boot.new', 'policy.new', 'trust']) {
      mkdirSync(join(folder.path, 'state', name));
    }
    writeFileSync(join(folder.path, 'state/boot'), 'none');
    const version = controller.push([guard('llm')]);
    const sidecar = await start();
    await inForce(sidecar, version);
    expect(await refusalOf(sidecar, 'llm')).toBeUndefined();
  });
});

test('authorities that the controller sends are believed from then on, also after a restart', async () => {
  const pair = ownCertificate('localhost');
  await using renewed = await TestController.start(pair);
  const version = renewed.push([guard('llm')]);
  controller.greeting = [{ trust: { pem: pair.certificate } }, { trust: { pem: 'none' } }];
  await start();
  const kept = join(folder.path, 'state/trust');
  await expect
    .poll(() => existsSync(kept) && readFileSync(kept, 'utf8'), soon)
    .toContain(pair.certificate);
  await Promise.all([...running].map(stop));
  const sidecar = await start(renewed.address);
  await inForce(sidecar, version);
  await stop(sidecar);

  writeFileSync(kept, 'damaged');
  const without = await start(renewed.address);
  await expect
    .poll(async () => (await without.inspect()).controller?.fault, soon)
    .toContain('UNAVAILABLE');
  await stop(without);
  // Those that came with the pod still hold.
  await start();
  await expect.poll(() => controller.streams.size, soon).toBe(1);
});

test('a pod that stops ends its stream', async () => {
  const version = controller.push([guard('llm')]);
  const sidecar = await start();
  await inForce(sidecar, version);
  expect(controller.streams.size).toBe(1);
  await stop(sidecar);
  await expect.poll(() => controller.streams.size, soon).toBe(0);
});
