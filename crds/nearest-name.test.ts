import { expect, test } from 'vitest';
import { nearestName } from './nearest-name.ts';

const names = ['HOLDFAST_SOCKET', 'HOLDFAST_PORT', 'HOLDFAST_HTTP_PORT', 'HOLDFAST_HOST'];

test.each([
  ['HOLDFAST_SOKCET', 'HOLDFAST_SOCKET'],
  ['HOLDFAST_PROT', 'HOLDFAST_PORT'],
  ['holdfast_port', 'HOLDFAST_PORT'],
  ['HOLDFAST_HTTPPORT', 'HOLDFAST_HTTP_PORT'],
  ['HOLDFAST_HOSTS', 'HOLDFAST_HOST'],
])('%s means %s', (typed, meant) => {
  expect(nearestName(typed, names)).toBe(meant);
});

test('a name that is like none of them gets no suggestion', () => {
  expect(nearestName('POSTGRES_URL_FOR_STAGING', names)).toBeUndefined();
  expect(nearestName('x', [])).toBeUndefined();
});
