import { expect, test } from 'vitest';
import { ownHeaders } from '../../../crds/upstream-fields.ts';
import { rejection, serve, type TestRequest } from './upstream.test-kit.ts';

const policyHeaders = {
  headers: [
    { name: 'x-api-key', value: 'of the policy' },
    { name: 'user-agent', value: 'holdfast' },
  ],
};

test.each<[string, TestRequest, string]>([
  ['a header of the policy', { headers: { 'x-api-key': 'mine' } }, 'set by the policy'],
  [
    'a header of the policy in other letters',
    { headers: { 'X-API-Key': 'mine' } },
    'set by the policy',
  ],
  ['what CGI takes for it', { headers: { X_API_KEY: 'mine' } }, 'set by the policy'],
  ['another header in one', { headers: { a: '1\r\nx-api-key: mine' } }, 'printable ASCII'],
  ['a lonely line feed', { headers: { a: '1\nb: 2' } }, 'printable ASCII'],
  ['a NUL', { headers: { a: '1\u00002' } }, 'printable ASCII'],
  ['letters that are none of ASCII', { headers: { a: 'ſ' } }, 'printable ASCII'],
  ['a name with a colon', { headers: { ':authority': 'other' } }, 'no name'],
  ['a name with a space', { headers: { 'a b': '1' } }, 'no name'],
  ['a name with a line break', { headers: { 'a\r\nb': '1' } }, 'no name'],
  ['an empty name', { headers: { '': '1' } }, 'no name'],
  ['a name that is too long', { headers: { ['a'.repeat(101)]: '1' } }, 'no name'],
  ...ownHeaders.map((name): [string, TestRequest, string] => [
    `header ${name}`,
    { headers: { [name.toUpperCase()]: 'x' } },
    'decided by the connection',
  ]),
  ['header Transfer_Encoding', { headers: { Transfer_Encoding: 'chunked' } }, 'decided by'],
  [
    'too many bytes of headers',
    { headers: { a: 'x'.repeat(20_000), b: 'x'.repeat(20_000) } },
    'bytes',
  ],
  ['CONNECT', { method: 'CONNECT' }, 'refused'],
  ['TRACE', { method: 'TRACE' }, 'refused'],
  ['a method with more in it', { method: 'GET / HTTP/1.1\r\n' }, 'upper case'],
  ['a method in lower case', { method: 'get' }, 'upper case'],
  ['a path that leaves', { path: '/../admin' }, '`..`'],
  ['a path with more in it', { path: '/ HTTP/1.1\r\nhost: x' }, 'spaces'],
  ['a path that is another host', { path: '//other/' }, 'another host'],
  ['a path that continues the host', { path: '.other.example/' }, 'must begin'],
  ['a cost below 0', { cost: -1 }, 'cost must'],
  ['a cost that is no number', { cost: Number.NaN }, 'cost must'],
  ['a cost_key that is too long', { costKey: 'ä'.repeat(101) }, 'cost_key'],
  ['a cost_header that is none', { costHeader: 'a b' }, 'cost_header'],
])('%s is refused, and nothing is sent', async (_what, request, fault) => {
  await using it = await serve((response) => response.end() as void, {}, policyHeaders);
  for (const refused of [it.bed.call('api', request), it.bed.stream('api', request)]) {
    const error = await rejection(refused);
    expect(error).toMatchObject({ kind: 'invalid', reason: 'INVALID_REQUEST' });
    expect(error.message).toContain(fault);
    expect(error.message).not.toContain('of the policy');
  }
  expect(it.server.connections()).toBe(0);
});

test('a hundred headers are enough', async () => {
  await using it = await serve((response) => response.end() as void);
  const headers = (count: number): TestRequest => ({
    headers: Object.fromEntries(Array.from({ length: count }, (_, nth) => [`x-${nth}`, 'v'])),
  });
  expect(await it.bed.call('api', headers(100))).toMatchObject({ status: 200 });
  expect((await rejection(it.bed.call('api', headers(101)))).message).toContain('at most 100');
});

test('headers of the policy are sent with every request', async () => {
  await using it = await serve((response) => response.end() as void, {}, policyHeaders);
  await it.bed.call('api', { headers: { 'x-other': '1' } });
  expect(it.server.requests[0]?.headers).toMatchObject({
    'x-api-key': 'of the policy',
    'user-agent': 'holdfast',
    'x-other': '1',
  });
});
