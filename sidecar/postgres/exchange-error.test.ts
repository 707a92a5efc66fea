import { describe, expect, test } from 'vitest';
import { cancelled, deadlineExceeded } from '../../platform/call.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { Exchange, type ExchangeFailure, type StatementResult } from './exchange.ts';
import { exchangeError, isStale } from './exchange-error.ts';
import { aCall } from './pool.test-kit.ts';
import { profileOf } from './statement-profile.ts';

const result: StatementResult = { parts: [], rows: 0, command: 'SELECT' };

/** An exchange that ended like this, after so many results. */
function failed(
  failure: Partial<ExchangeFailure> | undefined,
  results = 0,
  params: string[] = [],
): Exchange {
  const step = { profile: profileOf('select $1'), params };
  const exchange = new Exchange(
    Array.from({ length: results + 1 }, () => step),
    1_000,
  );
  exchange.sent = true;
  for (let each = 0; each < results; each += 1) exchange.results.push(result);
  if (failure !== undefined) exchange.fail(failure);
  return exchange;
}

const lostError = new HoldfastError('unavailable', 'CONNECTION_LOST', 'it was lost');
const reads = { pool: 'orders', writes: false };
const writes = { pool: 'orders', writes: true };

describe('a connection that was lost', () => {
  test('before anything was sent leaves nothing open', () => {
    const unsent = Object.assign(failed({ error: lostError, lost: true }), { sent: false });
    expect(exchangeError(unsent, aCall(), writes).reason).toBe('CONNECTION_LOST');
  });

  test('leaves open whether a write took effect', () => {
    const error = exchangeError(failed({ error: lostError, lost: true }), aCall(), writes);
    expect(error).toMatchObject({
      kind: 'unknown-outcome',
      reason: 'COMMIT_UNKNOWN',
      target: 'orders',
    });
    expect(error.cause).toBe(lostError);
  });

  test('leaves it open though the server said something before', () => {
    const failure = { fields: { C: '57P01', M: 'shutting down' }, error: lostError, lost: true };
    expect(exchangeError(failed(failure), aCall(), writes).reason).toBe('COMMIT_UNKNOWN');
  });

  test('because it was slow to stop is told as what it was stopped for', () => {
    const tooLarge = new HoldfastError('exhausted', 'RESULT_TOO_LARGE', 'too large');
    const stopped = (failure: Parameters<typeof failed>[0]) =>
      Object.assign(failed(failure), { cancelRequested: true });
    const said = { C: '57014', M: 'canceling statement due to user request' };
    for (const fields of [said, undefined]) {
      const large = stopped({ fields, error: tooLarge, lost: true });
      expect(exchangeError(large, aCall(), reads)).toBe(tooLarge);
      const late = aCall();
      late.end(deadlineExceeded());
      const slow = stopped({ fields, error: lostError, lost: true });
      expect(exchangeError(slow, late, reads).reason).toBe('DEADLINE_EXCEEDED');
      expect(exchangeError(slow, late, writes).reason).toBe('COMMIT_UNKNOWN');
    }
  });

  test('is just that for what only read', () => {
    expect(exchangeError(failed({ error: lostError, lost: true }), aCall(), reads)).toBe(lostError);
    const failure = { fields: { C: '57P01', M: 'shutting down' }, error: lostError, lost: true };
    expect(exchangeError(failed(failure), aCall(), reads)).toMatchObject({
      kind: 'unavailable',
      message: 'shutting down',
    });
  });
});

describe('a statement that was cancelled on the server', () => {
  const stopped = { fields: { C: '57014', M: 'canceling statement due to user request' } };

  test('because its call ended fails with the reason of that', () => {
    for (const reason of [cancelled(), deadlineExceeded()]) {
      const call = aCall();
      call.end(reason);
      expect(exchangeError(failed(stopped), call, writes)).toBe(reason);
    }
  });

  test('because its result was too large fails with that', () => {
    const error = new HoldfastError('exhausted', 'RESULT_TOO_LARGE', 'too large');
    const call = aCall();
    call.end(cancelled());
    expect(exchangeError(failed({ ...stopped, error }), call, writes)).toBe(error);
  });

  test('by the server itself has taken too long', () => {
    expect(exchangeError(failed(stopped), aCall(), writes)).toMatchObject({
      kind: 'deadline',
      reason: 'STATEMENT_TIMEOUT',
    });
  });
});

test('an error of the database is told, though the call has ended meanwhile', () => {
  const call = aCall();
  call.end(cancelled());
  const exchange = failed({ fields: { C: '23505', M: 'duplicate', n: 'items_pkey' } });
  expect(exchangeError(exchange, call, writes)).toMatchObject({
    kind: 'already-exists',
    metadata: { sqlstate: '23505', constraint: 'items_pkey' },
  });
});

test('its message quotes no parameter of the statement that failed', () => {
  const exchange = failed({ fields: { C: '42601', M: 'no operand in tsquery: "secret"' } }, 1, [
    'secret',
  ]);
  expect(exchangeError(exchange, aCall(), writes).message).toBe('no operand in tsquery: "…"');
});

describe('an error of a batch', () => {
  const batch = { ...writes, batchOffset: 1 };

  test('names the statement, counted from 0 without those of the sidecar', () => {
    const exchange = failed({ fields: { C: '40001', M: 'could not serialize' } }, 3);
    expect(exchangeError(exchange, aCall(), batch)).toMatchObject({
      kind: 'conflict',
      reason: 'SERIALIZATION_FAILURE',
      target: 'orders',
      retryAfterMs: 10,
      metadata: { sqlstate: '40001', statement: '2' },
    });
    const other = exchangeError(failed({ fields: { C: '22012' } }, 1), aCall(), batch);
    expect([other.metadata['statement'], other.retryAfterMs]).toEqual(['0', undefined]);
  });

  test('that failed before it reached the server names none', () => {
    expect(exchangeError(failed({ error: lostError }), aCall(), batch)).toBe(lostError);
  });
});

test('a commit that answered with a rollback is an error without words of the server', () => {
  expect(exchangeError(failed(undefined), aCall(), writes)).toMatchObject({
    kind: 'conflict',
    reason: 'TRANSACTION_ROLLED_BACK',
    target: 'orders',
  });
});

test.each([
  [undefined, false],
  [{ fields: { C: '26000' } }, true],
  [{ fields: { C: '0A000', R: 'RevalidateCachedQuery' } }, true],
  [{ fields: { C: '0A000', R: 'somewhere else' } }, false],
  [{ fields: { C: '26000' }, began: true }, false],
  [{ fields: { C: '42601' } }, false],
  [{ error: lostError, lost: true }, false],
])('whether %j is mended by preparing anew: %s', (failure, stale) => {
  expect(isStale(failed(failure))).toBe(stale);
});
