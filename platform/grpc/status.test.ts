import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HoldfastError, reasons, type ErrorKind } from '../errors.ts';
import { loadMessages } from './contract.ts';
import { statusCode, StatusEncoder, statusName } from './status.ts';

const messages = loadMessages();
const statuses = new StatusEncoder(messages);

/** What a client with the stock google.rpc messages makes of the bytes. */
function read(bytes: Uint8Array): { code: number; message: string; details: unknown[] } {
  const rpcStatus = messages.lookupType('google.rpc.Status');
  const decoded = rpcStatus.toObject(rpcStatus.decode(bytes), { arrays: true }) as {
    code: number;
    message: string;
    details: { type_url: string; value: Uint8Array }[];
  };
  return {
    ...decoded,
    details: decoded.details.map(({ type_url: url, value }) => {
      const type = messages.lookupType(url.replace(/^type\.googleapis\.com\//, ''));
      return { type: url, ...type.toObject(type.decode(value), { longs: Number }) };
    }),
  };
}

const codes: Record<ErrorKind, status> = {
  invalid: status.INVALID_ARGUMENT,
  unauthenticated: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  'not-found': status.NOT_FOUND,
  'already-exists': status.ALREADY_EXISTS,
  conflict: status.ABORTED,
  precondition: status.FAILED_PRECONDITION,
  unavailable: status.UNAVAILABLE,
  exhausted: status.RESOURCE_EXHAUSTED,
  deadline: status.DEADLINE_EXCEEDED,
  cancelled: status.CANCELLED,
  'unknown-outcome': status.UNKNOWN,
  unimplemented: status.UNIMPLEMENTED,
  internal: status.INTERNAL,
};
const kinds = Object.keys(codes) as ErrorKind[];

test.each(kinds)('%s has a code of its own, with its canonical name', (kind) => {
  expect(statusCode(kind)).toBe(codes[kind]);
  expect(status[statusName(kind) as keyof typeof status]).toBe(codes[kind]);
  expect(kinds.filter((other) => statusCode(other) === codes[kind])).toEqual([kind]);
});

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });

test('any error arrives whole: message, reason, domain, target, metadata, and when to try again', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      fc.constantFrom(...reasons),
      fc.string({ unit: 'grapheme' }),
      fc.option(word, { nil: undefined }),
      fc.option(fc.nat(10_000_000), { nil: undefined }),
      fc.dictionary(word, fc.string({ unit: 'grapheme' }), { maxKeys: 4 }),
      (kind, reason, message, target, retryAfterMs, metadata) => {
        const error = new HoldfastError(kind, reason, message, {
          metadata,
          ...(target === undefined ? {} : { target }),
          ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        });
        const { code, message: told, details } = read(statuses.encode(error));
        const [info, retry] = details as [object, { retryDelay: object } | undefined];
        expect([code, told ?? '']).toEqual([codes[kind], message]);
        const all = target === undefined ? metadata : { target, ...metadata };
        expect({ metadata: {}, ...info }).toEqual({
          type: 'type.googleapis.com/google.rpc.ErrorInfo',
          domain: 'holdfast.dev',
          reason,
          metadata: all,
        });
        const delay = { seconds: 0, nanos: 0, ...retry?.retryDelay };
        expect(retry === undefined).toBe(retryAfterMs === undefined);
        expect(delay.seconds * 1_000 + delay.nanos / 1_000_000).toBe(retryAfterMs ?? 0);
      },
    ),
    { numRuns: 300 },
  );
});

describe('when to try again', () => {
  test.each([
    [0, { seconds: 0, nanos: 0 }],
    [10, { seconds: 0, nanos: 10_000_000 }],
    [999, { seconds: 0, nanos: 999_000_000 }],
    [1_000, { seconds: 1, nanos: 0 }],
    [61_500, { seconds: 61, nanos: 500_000_000 }],
    [0.2, { seconds: 0, nanos: 1_000_000 }],
    [999.5, { seconds: 1, nanos: 0 }],
    [1_999.01, { seconds: 2, nanos: 0 }],
  ])('after %d ms is %j: whole milliseconds, never sooner', (retryAfterMs, retryDelay) => {
    const error = new HoldfastError('exhausted', 'POOL_EXHAUSTED', 'full', { retryAfterMs });
    const [, retry] = read(statuses.encode(error)).details;
    const zero = { seconds: 0, nanos: 0 };
    const { type, retryDelay: told } = retry as { type: string; retryDelay: object };
    expect(type).toBe('type.googleapis.com/google.rpc.RetryInfo');
    expect({ ...zero, ...told }).toEqual(retryDelay);
  });
});

test('a call ends with the code, the message, and the same status in a trailer', () => {
  const error = new HoldfastError('conflict', 'DEADLOCK_DETECTED', 'deadlock', {
    retryAfterMs: 10,
  });
  const { code, details, metadata } = statuses.trailer(error);
  expect([code, details]).toEqual([status.ABORTED, 'deadlock']);
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
  expect(bytes).toEqual(Buffer.from(statuses.encode(error)));
});

test('a cause never leaves the process', () => {
  const cause = new Error('password is hunter2');
  const error = new HoldfastError('internal', 'INTERNAL', 'internal error', { cause });
  const { details, metadata } = statuses.trailer(error);
  const sent = `${details} ${String(metadata?.get('grpc-status-details-bin')[0])}`;
  expect(sent).not.toContain('hunter2');
});

test.each(['x', 'é', '漢', '😀'])(
  'an error of any length fits into the headers that stock clients take (%s)',
  (character) => {
    const long = character.repeat(500_000);
    const error = new HoldfastError('precondition', 'DATABASE_ERROR', long, {
      target: 'default',
      metadata: { hint: long, constraint: character.repeat(15) },
    });
    const { details, metadata } = statuses.trailer(error);
    const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
    if (!(bytes instanceof Buffer)) throw new Error('no details');
    expect(encodeURI(details).length + bytes.toString('base64').length).toBeLessThan(7_000);
    const { message } = read(bytes);
    expect(message).toBe(details);
    expect(message).toMatch(new RegExp(`^${character}{200,}…$`, 'u'));
    expect(read(bytes).details[0]).toMatchObject({
      metadata: { constraint: character.repeat(15) },
    });
  },
);
