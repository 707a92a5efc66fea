import { expect, test } from 'vitest';
import { HoldfastError, reasons } from './errors.ts';

test('an error carries what its caller can act on', () => {
  const cause = new Error('ECONNREFUSED 10.0.0.1');
  const error = new HoldfastError('unavailable', 'DATABASE_UNAVAILABLE', 'the database is away', {
    cause,
    target: 'orders',
    retryAfterMs: 250,
    metadata: { sqlstate: '57P03' },
  });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'HoldfastError',
    kind: 'unavailable',
    reason: 'DATABASE_UNAVAILABLE',
    message: 'the database is away',
    target: 'orders',
    retryAfterMs: 250,
    metadata: { sqlstate: '57P03' },
  });
  expect(error.cause).toBe(cause);
});

test('what is not known of an error is absent, a cause too', () => {
  const error = new HoldfastError('invalid', 'INVALID_REQUEST', 'no');
  expect(error).toMatchObject({ target: undefined, retryAfterMs: undefined, metadata: {} });
  expect('cause' in error).toBe(false);
});

test('anything thrown becomes an error, with the words of strangers kept out of the message', () => {
  const known = new HoldfastError('conflict', 'DEADLOCK_DETECTED', 'deadlock');
  expect(HoldfastError.from(known)).toBe(known);
  for (const stranger of [new TypeError('password is hunter2'), 'hunter2', undefined, null, 42]) {
    const error = HoldfastError.from(stranger);
    expect(error).toMatchObject({
      kind: 'internal',
      reason: 'INTERNAL',
      message: 'internal error',
    });
    expect(error.cause).toBe(stranger);
    expect(JSON.stringify(error)).not.toContain('hunter2');
  }
});

test('reasons are written the way google.rpc.ErrorInfo asks, each once', () => {
  expect(new Set(reasons).size).toBe(reasons.length);
  expect(reasons.filter((reason) => !/^[A-Z][A-Z0-9_]{0,61}[A-Z0-9]$/.test(reason))).toEqual([]);
});
