import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { makeLogger } from '../../platform/logger.ts';
import { TestClock } from '../../platform/test-clock.ts';
import { heldTls } from './serving-certificates.ts';
import {
  keepWebhookBundles,
  type PatchOperation,
  superviseWebhookBundles,
  type WebhookConfiguration,
} from './webhook-bundles.ts';

const bundle = Buffer.from('authorities').toString('base64');

function cluster(...caBundles: (string | undefined)[]) {
  let configuration: WebhookConfiguration = {
    kind: 'ValidatingWebhookConfiguration',
    name: 'holdfast',
    resourceVersion: '7',
    webhooks: caBundles.map((caBundle, index) => ({ name: `w${index}`, caBundle })),
  };
  const patches: (readonly PatchOperation[])[] = [];
  return {
    patches,
    empty: (): void => {
      const webhooks = configuration.webhooks.map(({ name }) => ({ name, caBundle: undefined }));
      configuration = { ...configuration, webhooks };
    },
    list: async () => [configuration],
    patch: async (_: WebhookConfiguration, operations: readonly PatchOperation[]) => {
      patches.push(operations);
      const webhooks = configuration.webhooks.map((webhook, index) => {
        const mine = operations.find(({ path }) => path.startsWith(`/webhooks/${index}/`));
        return mine === undefined ? webhook : { ...webhook, caBundle: mine.value as string };
      });
      configuration = { ...configuration, webhooks };
    },
  };
}

const { signal } = new AbortController();

test('only what is wrong is patched, and only if nothing else changed', async () => {
  const given = cluster(undefined, bundle, 'b2xk');
  expect(await keepWebhookBundles(given, 'authorities', signal)).toBe(1);
  expect(given.patches).toEqual([
    [
      { op: 'test', path: '/metadata/resourceVersion', value: '7' },
      { op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: bundle },
      { op: 'add', path: '/webhooks/2/clientConfig/caBundle', value: bundle },
    ],
  ]);
  expect(await keepWebhookBundles(given, 'authorities', signal)).toBe(0);
});

test('whoever empties a bundle sees it filled again, and a new authority goes in at once', async () => {
  const given = cluster('');
  const clock = new TestClock();
  const tls = { certificate: 'c', key: 'k', authorities: 'authorities' };
  const held = heldTls(tls);
  const certificates = {
    get current() {
      return held.current;
    },
    onChange: held.onChange,
    check: async () => undefined,
    close: () => undefined,
  };
  const logger = makeLogger('silent', 'test');
  const supervised = superviseWebhookBundles({
    configurations: given,
    certificates,
    clock,
    logger,
  });
  await turn();
  expect(given.patches).toHaveLength(1);
  given.empty();
  await clock.advance(5_000);
  expect(given.patches).toHaveLength(2);
  held.put({ ...tls, authorities: 'old and new' });
  await turn();
  expect(given.patches).toHaveLength(3);
  supervised.close();
  await turn();
  expect(clock.alarms).toBe(0);
});
