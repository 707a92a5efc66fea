import { once } from 'node:events';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { IncomingMessage } from 'node:http';
import { systemClock } from '../../platform/clock.ts';
import { makeLogger } from '../../platform/logger.ts';
import { issueAuthority, issueLeaf } from '../certificates/issue.ts';
import { heldTls, type ServingTls } from '../certificates/serving-certificates.ts';
import { type AdmissionServer, serveAdmission } from './admission-server.ts';
import { allow, refuse } from './admission-review.ts';

async function newTls(): Promise<ServingTls> {
  const authority = await issueAuthority(Date.now());
  return {
    ...(await issueLeaf(authority, ['localhost'], Date.now())),
    authorities: authority.certificate,
  };
}

let held: ReturnType<typeof heldTls>;
let server: AdmissionServer;
let answers: string[];
let aborted: unknown;
beforeEach(async () => {
  answers = [];
  aborted = undefined;
  held = heldTls(await newTls());
  server = await serveAdmission({
    port: 0,
    host: '127.0.0.1',
    certificates: held,
    clock: systemClock,
    logger: makeLogger('silent', 'test'),
    onAnswer: (path, verdict) => answers.push(`${path} ${verdict}`),
    handlers: {
      '/yes': ({ operation }) => ({
        ...allow([operation]),
        patch: [{ op: 'add', path: '/a', value: 'ü' }],
      }),
      '/no': async () => refuse(422, 'it is wrong'),
      '/fails': () => Promise.reject(new Error('a secret detail')),
      '/slow': (_request, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = signal.reason;
            reject(signal.reason as Error);
          });
        }),
      '/deaf': () => new Promise(() => undefined),
    },
  });
});
afterEach(() => server.close(0));

const review = (more: object = {}): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'u1', operation: 'CREATE', userInfo: { username: 'a' }, ...more },
  });

function send(path: string, body: string, options: object = {}) {
  const sent = request({
    host: '127.0.0.1',
    port: server.port,
    servername: 'localhost',
    path,
    method: 'POST',
    ca: held.current.authorities,
    agent: false,
    headers: { 'content-type': 'application/json' },
    ...options,
  });
  sent.end(body);
  return sent;
}

async function call(path: string, body: string = review(), options: object = {}) {
  const [answer] = (await once(send(path, body, options), 'response')) as [IncomingMessage];
  const said = await text(answer);
  const isJson = answer.headers['content-type'] === 'application/json';
  return { status: answer.statusCode, body: isJson ? (JSON.parse(said) as object) : said };
}

test('a verdict comes back with its patch and warnings', async () => {
  expect(await call('/yes?timeout=5s')).toEqual({
    status: 200,
    body: {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: {
        uid: 'u1',
        allowed: true,
        patchType: 'JSONPatch',
        patch: Buffer.from('[{"op":"add","path":"/a","value":"ü"}]').toString('base64'),
        warnings: ['CREATE'],
      },
    },
  });
  expect(await call('/no')).toMatchObject({
    body: { response: { allowed: false, status: { code: 422, message: 'it is wrong' } } },
  });
  expect(answers).toEqual(['/yes allowed', '/no refused']);
});

test('a handler that fails is an error without its details, for the failure policy to judge', async () => {
  expect(await call('/fails')).toEqual({
    status: 500,
    body: 'the webhook failed; its log says why\n',
  });
  expect(answers).toEqual(['/fails failed']);
});

test.each([
  ['another path', '/other', review(), {}, 404],
  ['a path that objects have', '/constructor', review(), {}, 404],
  ['a path that is none', '//', review(), {}, 404],
  ['another method', '/yes', '', { method: 'GET' }, 405],
  ['another type', '/yes', review(), { headers: { 'content-type': 'text/plain' } }, 415],
  ['no JSON', '/yes', '{', {}, 400],
  ['null', '/yes', 'null', {}, 400],
  ['another version', '/yes', review().replace('k8s.io/v1', 'k8s.io/v1beta1'), {}, 400],
  ['a review without user', '/yes', review({ userInfo: undefined }), {}, 400],
  ['a review of nine MiB', '/yes', review({ object: 'x'.repeat(9 * 1024 * 1024) }), {}, 413],
])('%s is refused', async (_title, path, body, options, status) => {
  expect((await call(path, body, options)).status).toBe(status);
});

test('bodies that come together have a limit together, and room again when they are gone', async () => {
  const body = review({ object: 'x'.repeat(7 * 1024 * 1024) });
  const options = {
    headers: { 'content-type': 'application/json', 'content-length': body.length },
  };
  const held = Array.from({ length: 4 }, () => send('/deaf', body, options));
  for (const each of held) each.on('error', () => undefined);
  await expect.poll(async () => (await call('/yes', body)).status).toBe(503);
  expect((await call('/yes')).status).toBe(200);
  for (const each of held) each.destroy();
  await expect.poll(async () => (await call('/yes', body)).status).toBe(200);
});

test('nobody waits longer than the API server does', async () => {
  for (const path of ['/slow', '/deaf']) {
    expect(await call(`${path}?timeout=0.3s`)).toMatchObject({ status: 500 });
  }
  expect(String(aborted)).toContain('over');
});

test('work for an API server that has left is given up', async () => {
  const sent = send('/slow', review());
  sent.on('error', () => undefined);
  await sleep(100);
  sent.destroy();
  await expect.poll(() => String(aborted)).toContain('nobody waits');
});

test('a new certificate is shown to new connections', async () => {
  const old = held.current.authorities;
  held.put(await newTls());
  expect((await call('/yes')).status).toBe(200);
  await expect(call('/yes', review(), { ca: old })).rejects.toThrow(/certificate/);
  held.put({ ...held.current, key: 'nonsense' });
  expect((await call('/yes')).status).toBe(200);
});

test('closing lets a call finish, and cuts it when its time is over', async () => {
  const cut = call('/deaf').catch((error: Error) => error.message);
  await sleep(100);
  await server.close(50);
  expect(await cut).toMatch(/socket hang up|ECONNRESET/);
  await expect(call('/yes')).rejects.toThrow('ECONNREFUSED');
});
