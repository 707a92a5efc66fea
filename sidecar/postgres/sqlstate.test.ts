import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { databaseError } from './sqlstate.ts';

describe('what the server says is told by its code', () => {
  test.each([
    ['08006', 'unavailable', 'CONNECTION_LOST'],
    ['08P01', 'invalid', 'DATABASE_ERROR'],
    ['0A000', 'unimplemented', 'DATABASE_ERROR'],
    ['21000', 'invalid', 'DATABASE_ERROR'],
    ['22P02', 'invalid', 'DATABASE_ERROR'],
    ['23502', 'precondition', 'DATABASE_ERROR'],
    ['23503', 'precondition', 'DATABASE_ERROR'],
    ['23505', 'already-exists', 'DATABASE_ERROR'],
    ['23514', 'precondition', 'DATABASE_ERROR'],
    ['23P01', 'already-exists', 'DATABASE_ERROR'],
    ['25006', 'precondition', 'DATABASE_ERROR'],
    ['25P02', 'precondition', 'DATABASE_ERROR'],
    ['25P03', 'precondition', 'IDLE_IN_TRANSACTION_TIMEOUT'],
    ['25P04', 'precondition', 'TRANSACTION_TIMEOUT'],
    ['26000', 'invalid', 'DATABASE_ERROR'],
    ['28P01', 'unavailable', 'DATABASE_UNAVAILABLE'],
    ['2D000', 'precondition', 'DATABASE_ERROR'],
    ['34000', 'not-found', 'DATABASE_ERROR'],
    ['3B001', 'precondition', 'DATABASE_ERROR'],
    ['3D000', 'unavailable', 'DATABASE_UNAVAILABLE'],
    ['3F000', 'invalid', 'DATABASE_ERROR'],
    ['40001', 'conflict', 'SERIALIZATION_FAILURE'],
    ['40002', 'conflict', 'DATABASE_ERROR'],
    ['40P01', 'conflict', 'DEADLOCK_DETECTED'],
    ['42501', 'forbidden', 'DATABASE_ERROR'],
    ['42601', 'invalid', 'DATABASE_ERROR'],
    ['42P01', 'invalid', 'DATABASE_ERROR'],
    ['53100', 'exhausted', 'DATABASE_ERROR'],
    ['53300', 'exhausted', 'DATABASE_ERROR'],
    ['54001', 'exhausted', 'DATABASE_ERROR'],
    ['55000', 'precondition', 'DATABASE_ERROR'],
    ['55P03', 'conflict', 'DATABASE_ERROR'],
    ['57014', 'deadline', 'STATEMENT_TIMEOUT'],
    ['57P01', 'unavailable', 'CONNECTION_LOST'],
    ['58030', 'internal', 'DATABASE_ERROR'],
    ['F0001', 'internal', 'DATABASE_ERROR'],
    ['XX000', 'internal', 'DATABASE_ERROR'],
    ['P0001', 'precondition', 'DATABASE_ERROR'],
    ['ZZ999', 'precondition', 'DATABASE_ERROR'],
  ])('%s is %s, %s', (sqlstate, kind, reason) => {
    const error = databaseError({ C: sqlstate, M: 'it says so' }, 'orders');
    expect(error).toMatchObject({ kind, reason, message: 'it says so', target: 'orders' });
    expect(error.metadata).toEqual({ sqlstate });
  });

  test('a conflict that passes says when to come again', () => {
    for (const sqlstate of ['40001', '40P01']) {
      expect(databaseError({ C: sqlstate }, 'orders').retryAfterMs).toBe(10);
    }
    expect(databaseError({ C: '55P03' }, 'orders').retryAfterMs).toBeUndefined();
  });

  test('an error without code or message is an internal one of the server', () => {
    expect(databaseError({}, 'orders')).toMatchObject({
      kind: 'internal',
      message: 'the database reported an error without a message',
      metadata: {},
    });
  });
});

test('names that help the caller go along; what may hold values stays behind', () => {
  const fields = {
    S: 'ERROR',
    C: '23505',
    M: 'duplicate key value violates unique constraint "items_pkey"',
    D: 'Key (id)=(secret) already exists.',
    W: 'SQL statement "insert into items values (secret)"',
    q: 'select secret',
    H: 'Try another one.',
    P: '15',
    s: 'public',
    t: 'items',
    c: 'id',
    d: 'int4',
    n: 'items_pkey',
    F: 'nbtinsert.c',
  };
  const error = databaseError(fields, 'orders');
  expect(error.message).toBe(fields.M);
  expect(error.metadata).toEqual({
    sqlstate: '23505',
    schema: 'public',
    table: 'items',
    column: 'id',
    constraint: 'items_pkey',
    position: '15',
    hint: 'Try another one.',
  });
  expect(JSON.stringify(error) + error.message).not.toContain('secret');
});

describe('values are cut out of messages', () => {
  test.each([
    [
      '22P02',
      'invalid input syntax for type integer: "secret"',
      'invalid input syntax for type integer: "…"',
    ],
    [
      '22P02',
      'invalid input syntax for type integer: "se"cre"t"',
      'invalid input syntax for type integer: "…"',
    ],
    ['22007', 'invalid value "secr\net" for "YYYY"', 'invalid value "…"'],
    [
      '22003',
      'value "secret" is out of range for type integer',
      'value "…" is out of range for type integer',
    ],
    ['22012', 'division by zero', 'division by zero'],
    [
      '22P02',
      'ungültige Eingabesyntax für Typ integer: »secret«',
      'ungültige Eingabesyntax für Typ integer: "…"',
    ],
    [
      '22P02',
      'syntaxe en entrée invalide pour le type integer : « secret »',
      'syntaxe en entrée invalide pour le type integer : "…"',
    ],
    ['22P02', 'nieprawidłowa składnia wejścia: „secret”', 'nieprawidłowa składnia wejścia: "…"'],
  ])('of %s: %j', (sqlstate, message, told) => {
    expect(databaseError({ C: sqlstate, M: message }, 'orders').message).toBe(told);
  });

  test('of any code, where they quote a parameter of the statement', () => {
    const message = (text: string, ...params: (string | Buffer | null)[]): string =>
      databaseError({ C: '42601', M: text }, 'orders', params).message;
    expect(message('no operand in tsquery: "secret &"', null, 'secret &')).toBe(
      'no operand in tsquery: "…"',
    );
    expect(message('relation "secret" does not exist', Buffer.from('secret'), 'secret')).toBe(
      'relation "…" does not exist',
    );
    expect(message('column "a" of "b" is ""', '', 'x')).toBe('column "a" of "b" is ""');
    expect(message('pattern "$&" and "$1"', '$&', '$1')).toBe('pattern "…" and "…"');
  });

  test('whatever they are', () => {
    const value = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !text.includes('…'));
    fc.assert(
      fc.property(value, fc.constantFrom('22P02', '42P01', '42704'), (value, C) => {
        const marked = `<${value}>`;
        const fields = { C, M: `invalid thing: "${marked}"`, D: marked, W: marked };
        const error = databaseError(fields, 'orders', [marked]);
        expect(error.message).toBe('invalid thing: "…"');
        expect(error.metadata).toEqual({ sqlstate: C });
      }),
    );
  });
});
