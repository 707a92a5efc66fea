import { expect, test } from 'vitest';
import { HoldfastError } from '../errors.ts';
import { encodeMessage } from './contract.ts';
import { errorFromStatus } from './status.ts';

test('a status becomes an error with everything that it says', () => {
  const any = (name: string, value: Record<string, unknown>): object => ({
    type_url: `type.googleapis.com/${name}`,
    value: encodeMessage(name, value),
  });
  const bytes = encodeMessage('google.rpc.Status', {
    code: 8,
    message: 'the pool is exhausted',
    details: [
      any('google.rpc.ErrorInfo', {
        reason: 'POOL_EXHAUSTED',
        domain: 'holdfast.dev',
        metadata: { target: 'orders', queue_length: '12', sqlstate: '53300' },
      }),
      any('google.rpc.RetryInfo', { retryDelay: { seconds: 1, nanos: 250_000_000 } }),
    ],
  });
  const error = errorFromStatus(bytes);
  expect(error).toBeInstanceOf(HoldfastError);
  expect(error).toMatchObject({
    name: 'HoldfastError',
    code: 'RESOURCE_EXHAUSTED',
    reason: 'POOL_EXHAUSTED',
    message: 'the pool is exhausted',
    target: 'orders',
    sqlstate: '53300',
    retryAfterMs: 1_250,
    metadata: { target: 'orders', queue_length: '12', sqlstate: '53300' },
  });
});

test('a status without details is named after its code', () => {
  const plain = (code: number): HoldfastError =>
    errorFromStatus(encodeMessage('google.rpc.Status', { code, message: 'm' }));
  expect(plain(14)).toMatchObject({ code: 'UNAVAILABLE', reason: 'SIDECAR_LOST' });
  expect(plain(5)).toMatchObject({ code: 'NOT_FOUND', reason: 'NOT_FOUND' });
  expect(plain(99)).toMatchObject({ code: 'UNKNOWN', reason: 'UNKNOWN', retryAfterMs: undefined });
});
