import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HostServers, startHostServers } from './host-servers.test-kit.ts';
import { imageNames } from './images.ts';
import { type TestNamespace, eventually, kubectl, testNamespace } from './namespace.test-kit.ts';
import { installHoldfast, releaseNamespace, uninstallHoldfast } from './release.test-kit.ts';
import { surroundings } from './surroundings.ts';

let servers: HostServers;
let shop: TestNamespace;
let admin: Client;
beforeAll(async () => {
  // The example's budget names this namespace.
  [servers, shop] = await Promise.all([startHostServers(), testNamespace('shop')]);
  admin = new Client(servers.postgres.url);
  await admin.connect();
  await admin.query("create role shop login password 'tea' connection limit 25");
  await admin.query('create database shop owner shop');
  await installHoldfast();
});
afterAll(async () => {
  await shop?.remove();
  await kubectl(['delete', 'connectionbudget', 'shop', '--ignore-not-found']);
  await uninstallHoldfast();
  await admin?.end();
  await servers?.stop();
});

/** A manifest as a user applies it. */
const manifest = (name: string): string =>
  readFileSync(new URL(`../../examples/kubernetes/${name}.yaml`, import.meta.url), 'utf8');

const secret = (name: string, url: string): Promise<void> =>
  shop.apply(
    JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { url } }),
  );

/** Tells the controller's side of it, too, when it takes too long. */
const until = <Value>(what: string, attempt: () => Promise<Value | false>): Promise<Value> =>
  eventually(what, attempt, { limitMs: 90_000, namespaces: ['shop', releaseNamespace] });

/** Runs a module in the app's own container. */
const inApp = (pod: string, code: string): Promise<string> =>
  shop.kubectl('exec', pod, '-c', 'shop', '--', 'node', '--input-type=module', '-e', code);

const ask = (pod: string, method: string, body = ''): Promise<string> =>
  inApp(
    pod,
    `const options = { method: '${method}'${body && `, body: '${body}'`} };
     process.stdout.write(await (await fetch('http://127.0.0.1:8080/orders', options)).text());`,
  );

async function podsOfShop(): Promise<string[]> {
  const names = await shop.kubectl('get', 'pods', '--selector=app=shop', '-o', 'name');
  return names.trim().split('\n');
}

interface Status {
  readonly observedGeneration?: number;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  readonly pods?: Readonly<Record<string, unknown>>;
}

/** Status of the shop's policy once it says of the present generation that it is programmed in two pods. */
async function programmed(): Promise<Status | false> {
  const { metadata, status = {} } = JSON.parse(
    await shop.kubectl('get', 'rp/shop', '-o', 'json'),
  ) as {
    metadata: { generation: number };
    status?: Status;
  };
  const { observedGeneration, conditions = [], pods } = status;
  const isTrue = conditions.some((each) => each.type === 'Programmed' && each.status === 'True');
  const isWhole = isTrue && pods?.['programmed'] === 2;
  return isWhole && observedGeneration === metadata.generation && status;
}

test('the example runs as it is: pods with sidecars, and an app that PostgreSQL and Redis answer', async () => {
  await secret(
    'shop-postgres',
    servers.postgresUrl.replace(/\/\/.*@(.*)\/.*/, '//shop:tea@$1/shop'),
  );
  await secret('shop-redis', servers.redisUrl);
  for (const name of ['budget', 'policy']) await shop.apply(manifest(name));
  await shop.apply(
    manifest('app').replaceAll(imageNames.exampleImage, surroundings().exampleImage),
  );

  await until('it has rolled out', () =>
    shop.kubectl('rollout', 'status', 'deployment/shop', '--timeout=5s'),
  );
  const pods = await podsOfShop();
  expect(pods).toHaveLength(2);
  const [one = '', other = ''] = pods;
  expect(await ask(one, 'POST', '{"item":"tea"}')).toBe('{"id":1}');
  expect(await ask(other, 'GET')).toBe('{"orders":1,"placed":1}');
  const { rows } = await admin.query("select 1 from pg_stat_activity where usename = 'shop'");
  expect(rows.length).toBeGreaterThan(0);
});

test('the status of its policy counts them, after a change too', async () => {
  const { pods } = await until('it is programmed', programmed);
  expect(pods).toMatchObject({ selected: 2, connected: 2, programmed: 2 });
  const change = [{ op: 'replace', path: '/spec/targets/0/concurrency/max', value: 20 }];
  await shop.kubectl('patch', 'rp/shop', '--type=json', '--patch', JSON.stringify(change));
  const changed = await until('the change is programmed', programmed);
  expect(changed.observedGeneration).toBe(2);
});

test('the app sees neither passwords nor tokens of its sidecar', async () => {
  const [pod = ''] = await podsOfShop();
  const look = `import { existsSync } from 'node:fs';
    const folders = ['/var/run/holdfast', '/var/run/secrets/holdfast', '/var/lib/holdfast'];
    process.stdout.write(JSON.stringify([folders.filter(existsSync), process.env]));`;
  const [seen, env] = JSON.parse(await inApp(pod, look)) as [string[], Record<string, string>];
  expect(seen).toEqual([]);
  expect(env['HOLDFAST_ADDRESS']).toBe('unix:/run/holdfast/s.sock');
  expect(JSON.stringify(env)).not.toContain('tea@');
});
