import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultWord, replyError } from './reply-errors.ts';

describe('an error reply', () => {
  test.each([
    [
      'WRONGTYPE Operation against a key holding the wrong kind of value',
      'precondition',
      'REDIS_ERROR',
      'WRONGTYPE: Operation against a key holding the wrong kind of value',
    ],
    [
      'ERR value is not an integer or out of range',
      'invalid',
      'REDIS_ERROR',
      'ERR: value is not an integer or out of range',
    ],
    [
      "ERR wrong number of arguments for 'get' command",
      'invalid',
      'REDIS_ERROR',
      "ERR: wrong number of arguments for 'get' command",
    ],
    [
      "ERR wrong number of arguments for 'xgroup|create' command",
      'invalid',
      'REDIS_ERROR',
      "ERR: wrong number of arguments for 'xgroup|create' command",
    ],
    [
      "ERR invalid expire time in 'set' command",
      'invalid',
      'REDIS_ERROR',
      "ERR: invalid expire time in 'set' command",
    ],
    ['ERR syntax error', 'invalid', 'REDIS_ERROR', 'ERR: syntax error'],
    ['ERR no such key', 'precondition', 'REDIS_ERROR', 'ERR: no such key'],
    ['ERR index out of range', 'precondition', 'REDIS_ERROR', 'ERR: index out of range'],
    [
      "ERR unknown command 'S3CRET', with args beginning with: 'S3CRET' ",
      'invalid',
      'REDIS_ERROR',
      'ERR: Redis knows no such command',
    ],
    [
      "ERR unknown subcommand 'S3CRET'. Try OBJECT HELP.",
      'invalid',
      'REDIS_ERROR',
      'ERR: Redis knows no such subcommand, or not with so many arguments',
    ],
    [
      'ERR user_script:1: S3CRET script: 0123, on @user_script:1.',
      'invalid',
      'REDIS_ERROR',
      'ERR: the script failed',
    ],
    [
      'ERR invalid longitude,latitude pair 1.000000,S3CRET',
      'invalid',
      'REDIS_ERROR',
      'ERR: its text is withheld, since it may hold keys or values',
    ],
    [
      'OUTOFSTOCK S3CRET',
      'precondition',
      'REDIS_ERROR',
      'OUTOFSTOCK: its text is withheld, since it may hold keys or values',
    ],
    [
      'S3CRET:key is wrong',
      'precondition',
      'REDIS_ERROR',
      'with an error: its text is withheld, since it may hold keys or values',
    ],
    [
      "NOGROUP No such key 'S3CRET' or consumer group 'S3CRET'",
      'not-found',
      'REDIS_ERROR',
      'NOGROUP: no such key or consumer group',
    ],
    [
      'NOSCRIPT No matching script. Please use EVAL.',
      'not-found',
      'REDIS_ERROR',
      'NOSCRIPT: No matching script. Please use EVAL.',
    ],
    [
      'BUSYGROUP Consumer Group name already exists',
      'already-exists',
      'REDIS_ERROR',
      'BUSYGROUP: Consumer Group name already exists',
    ],
    [
      "NOPERM User app has no permissions to access the 'S3CRET' key",
      'forbidden',
      'REDIS_ERROR',
      "NOPERM: the sidecar's Redis user may not do this",
    ],
    [
      "OOM command not allowed when used memory > 'maxmemory'.",
      'exhausted',
      'REDIS_ERROR',
      'OOM: Redis is at its memory limit (maxmemory)',
    ],
    [
      'MOVED 3999 10.0.0.1:6381',
      'precondition',
      'REDIS_ERROR',
      'MOVED: this Redis is part of a Cluster: write its URL as redis+cluster://user:password@host:6379',
    ],
    [
      'EXECABORT Transaction discarded because of previous errors.',
      'precondition',
      'REDIS_ERROR',
      'EXECABORT: Redis discarded the commands; none of them ran',
    ],
    [
      'OPERATIONREUSED x',
      'already-exists',
      'OPERATION_ID_REUSED',
      'OPERATIONREUSED: the operation id belongs to another script or to other keys; nothing ran',
    ],
    [
      'LOADING Redis is loading the dataset in memory',
      'unavailable',
      'REDIS_UNAVAILABLE',
      'LOADING: Redis is loading its data',
    ],
    [
      "READONLY You can't write against a read only replica.",
      'unavailable',
      'REDIS_UNAVAILABLE',
      'READONLY: this Redis is a replica: it takes no writes',
    ],
    [
      'toString is no code',
      'precondition',
      'REDIS_ERROR',
      'with an error: its text is withheld, since it may hold keys or values',
    ],
  ])('%s', (message, kind, reason, text) => {
    const error = replyError(message, 'cache');
    expect(error).toMatchObject({
      kind,
      reason,
      target: 'cache',
      message: `Redis "cache" answered ${text}`,
    });
    expect(JSON.stringify([error, error.message, error.metadata])).not.toContain('S3CRET');
    expect(error.cause).toBeUndefined();
  });

  test('an unavailable one says when to try again', () => {
    expect(replyError('LOADING x', 'cache').retryAfterMs).toBe(1_000);
    expect(replyError('ERR syntax error', 'cache').retryAfterMs).toBeUndefined();
  });

  test('a script that met a read-only replica may have run in part; one that met a loading server has not', () => {
    expect(
      replyError("READONLY You can't write against a read only replica.", 'cache', true),
    ).toMatchObject({
      kind: 'unknown-outcome',
      reason: 'REDIS_ERROR',
      retryAfterMs: undefined,
      message:
        'Redis "cache" answered READONLY: this Redis is a replica: it takes no writes; the script may have run in part',
    });
    expect(replyError('LOADING Redis is loading the dataset in memory', 'cache', true).kind).toBe(
      'unavailable',
    );
  });

  test.each([
    'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    'CLUSTERDOWN Hash slot not served',
    'TRYAGAIN Multiple keys request during rehashing of slot',
  ])('Redis itself stops a script before it begins with %s', (message) => {
    expect(replyError(message, 'cache', true).kind).toBe('unavailable');
  });

  test.each(['BUSY come back', 'LOADING', 'CLUSTERDOWN', 'TRYAGAIN later'])(
    'a script that answers %s of its own accord may have run',
    (message) => {
      expect(replyError(message, 'cache', true)).toMatchObject({
        kind: 'unknown-outcome',
        reason: 'REDIS_ERROR',
      });
    },
  );

  test('what a caller sent does not come back, wherever Redis puts it', () => {
    const secret = fc.string({ minLength: 3, maxLength: 40 }).map((text) => `§${text}§`);
    const template = fc.constantFrom(
      (text: string) => `ERR ${text}`,
      (text: string) => text,
      (text: string) => `ERR unknown command '${text}', with args beginning with: '${text}'`,
      (text: string) => `ERR syntax error ${text}`,
      (text: string) => `ERR no such key ${text}`,
      (text: string) => `ERR wrong number of arguments for '${text}' command`,
      (text: string) => `NOSCRIPT No matching script ${text}`,
      (text: string) => `WRONGTYPE ${text}`,
      (text: string) => `ERR Error running script: ${text}`,
    );
    fc.assert(
      fc.property(template, secret, (write, text) => {
        const { message, metadata } = replyError(write(text), 'cache');
        expect(message + JSON.stringify(metadata)).not.toContain('§');
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  [
    Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:6379'), { code: 'ECONNREFUSED' }),
    'ECONNREFUSED',
  ],
  [
    Object.assign(new Error('x'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }),
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ],
  [new Error('WRONGPASS invalid username-password pair'), 'WRONGPASS'],
  [new Error('NOAUTH Authentication required.'), 'NOAUTH'],
  [new Error('Command timed out'), 'ETIMEDOUT'],
  [new Error('SECRET words'), 'CLOSED'],
  [new Error(), 'CLOSED'],
])('%s is told as %s', (error, word) => {
  expect(faultWord(error)).toBe(word);
});
