import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { type KubeApi, openKubeApi } from './api.ts';
import { listWatch } from './list-watch.ts';
import { resources } from './resource.ts';

/** What no API server says when a test wants it. */

let server: Server | undefined;
let api: KubeApi | undefined;
afterEach(async () => {
  await api?.close();
  server?.closeAllConnections();
  server?.close();
});

/** An API server that answers so; the paths that it was asked for. */
async function answering(answers: readonly (readonly [status: number, text: string])[]) {
  const asked: string[] = [];
  server = createServer((request, response) => {
    const [status, text] = answers[asked.length] ?? [500, ''];
    asked.push(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json' });
    // In two pieces, in the middle of a letter.
    const bytes = Buffer.from(text);
    const half = Math.floor(bytes.length / 2);
    response.write(bytes.subarray(0, half));
    setTimeout(() => response.end(bytes.subarray(half)), 5);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  api = openKubeApi({ url, tls: {}, headers: () => Promise.resolve({}) }, systemClock);
  return { asked, source: listWatch(api, resources.configMaps, { labelSelector: 'a=b' }) };
}

const { signal } = new AbortController();
const item = (name: string) => ({ metadata: { name, namespace: 'ns' } });
const page = (name: string, next?: string): readonly [number, string] => [
  200,
  JSON.stringify({
    metadata: { resourceVersion: '7', continue: next },
    items: [item(name)],
  }),
];
const path = '/api/v1/configmaps?labelSelector=a%3Db';

async function gather<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const gathered: Item[] = [];
  for await (const each of items) gathered.push(each);
  return gathered;
}

test('a long list comes page by page, and each object says of what kind it is', async () => {
  const { asked, source } = await answering([page('a', 'more'), page('b')]);
  const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
  expect(await source.list(signal)).toEqual({
    items: [
      { ...kind, ...item('a') },
      { ...kind, ...item('b') },
    ],
    resourceVersion: '7',
  });
  expect(asked).toEqual([`${path}&limit=500`, `${path}&limit=500&continue=more`]);
});

test('a watch is read line by line, whatever the pieces it comes in', async () => {
  const lines = [
    { type: 'ADDED', object: { ...item('ééé'), kind: 'ConfigMap' } },
    { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
    { type: 'DELETED', object: item('b') },
  ];
  const { asked, source } = await answering([
    [200, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`],
  ]);
  expect(await gather(source.watch('7', signal))).toEqual([
    { type: 'changed', object: { ...item('ééé'), kind: 'ConfigMap' } },
    { type: 'bookmark', resourceVersion: '9' },
    { type: 'deleted', object: item('b') },
  ]);
  expect(asked).toEqual([
    `${path}&watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=600`,
  ]);
});

const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old: 1 (205)' };

test.each([
  ['in its first line', 200, JSON.stringify({ type: 'ERROR', object: expired })],
  ['at once', 410, JSON.stringify(expired)],
])('a version that lies too far back is said %s', async (_when, status, text) => {
  const { source } = await answering([[status, `${text}\n`]]);
  await expect(gather(source.watch('1', signal))).rejects.toMatchObject({
    name: 'KubeError',
    status: 410,
    reason: 'Expired',
  });
});

test('an answer that is no JSON is told with where it came from', async () => {
  const { source } = await answering([[502, 'bad gateway']]);
  await expect(source.list(signal)).rejects.toMatchObject({
    status: 502,
    message: 'GET /api/v1/configmaps: bad gateway',
  });
});
