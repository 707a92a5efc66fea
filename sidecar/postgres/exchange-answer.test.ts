import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadMessages } from '../../platform/grpc/contract.ts';
import { Exchange, type Step } from './exchange.ts';
import { ExchangeAnswer, type SentStep } from './exchange-answer.ts';
import { PreparedStatements } from './prepared-statements.ts';
import { encodeColumns, RowEncoder } from './result-encoder.ts';
import { bodyAt, dataRow, rowDescription } from './server-messages.test-kit.ts';
import { profileOf } from './statement-profile.ts';

const queryResult = loadMessages().lookupType('holdfast.v1.QueryResult');
const columns = encodeColumns(
  rowDescription([{ name: 'a', typeOid: 25, typeModifier: -1 }]),
  bodyAt,
);
const mebibyte = 1024 * 1024;

interface Sent {
  readonly sql?: string;
  readonly stream?: Step['stream'];
  readonly named?: boolean;
}

/** The answer to these statements, of which the server has said nothing yet. */
function anAnswer(
  sent: readonly Sent[],
  maxResultBytes = 16 * mebibyte,
  memoryIsFull?: () => boolean,
) {
  const prepared = new PreparedStatements(256);
  const steps = sent.map(({ sql = 'select 1', stream, named }): SentStep => {
    const profile = { ...profileOf(sql), uses: 1 };
    return {
      sql,
      prepared: named === true ? prepared.add(profile) : undefined,
      stream,
      reads: profile.reads,
      columns: Buffer.alloc(0),
    };
  });
  const profiles = steps.map(({ sql }) => ({ profile: profileOf(sql), params: [] }));
  const exchange = new Exchange(profiles, maxResultBytes);
  const encoder = new RowEncoder();
  const answer = new ExchangeAnswer(exchange, { steps, encoder, pool: 'orders', memoryIsFull });
  const row = (...cells: (string | null)[]): boolean => answer.row(dataRow(cells), bodyAt);
  return { answer, exchange, encoder, steps, row };
}

interface Decoded {
  readonly columns: readonly { readonly name: string }[];
  readonly rows: readonly { readonly cells: readonly { readonly text?: string }[] }[];
  readonly rowsAffected: string;
  readonly command: string;
}
const decoded = (parts: readonly Buffer[]): Decoded =>
  queryResult.toObject(queryResult.decode(Buffer.concat(parts)), {
    defaults: true,
    longs: String,
  }) as Decoded;
const texts = (parts: readonly Buffer[]): readonly (string | undefined)[] =>
  decoded(parts).rows.map(({ cells }) => cells[0]?.text);

describe('the results of an exchange', () => {
  test('are one for each step, in order, each with its own columns, rows and tag', () => {
    const { answer, exchange, row } = anAnswer([{}, { sql: 'update t set a = 1' }, {}]);
    answer.described(columns);
    row('x');
    row(null);
    answer.complete('SELECT 2');
    answer.described(Buffer.alloc(0));
    answer.complete('UPDATE 7');
    answer.described(columns);
    answer.complete('SELECT 0');
    expect(exchange.failure).toBeUndefined();
    const [first, second, third] = exchange.results;
    expect(exchange.results.map(({ rows, command }) => [rows, command])).toEqual([
      [2, 'SELECT'],
      [0, 'UPDATE'],
      [0, 'SELECT'],
    ]);
    expect(texts(first?.parts ?? [])).toEqual(['x', undefined]);
    expect(decoded(second?.parts ?? [])).toMatchObject({ columns: [], rowsAffected: '7' });
    expect(decoded(third?.parts ?? [])).toMatchObject({ columns: [{ name: 'a' }], rows: [] });
  });

  test('are cut into parts of about 256 KiB between two rows, and are whole when joined', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300_000), { maxLength: 12 }), (lengths) => {
        const { answer, exchange, row } = anAnswer([{}]);
        answer.described(columns);
        for (const length of lengths) row('x'.repeat(length));
        answer.complete(`SELECT ${lengths.length}`);
        const { parts = [], rows } = exchange.results[0] ?? {};
        const longest = Math.max(0, ...lengths) + 100;
        expect(parts.filter((part) => part.length > 256 * 1024 + longest)).toEqual([]);
        expect(parts.filter((part) => decoded([part]).columns.length > 0)).toHaveLength(1);
        expect([rows, exchange.resultBytes]).toEqual([lengths.length, Buffer.concat(parts).length]);
        expect(texts(parts).map((text) => text?.length)).toEqual(lengths);
        expect(decoded(parts)).toMatchObject({ command: 'SELECT', columns: [{ name: 'a' }] });
      }),
      { numRuns: 50 },
    );
  });

  test('of a statement that is known need no description from the server', () => {
    const { answer, exchange, steps, row } = anAnswer([{ named: true }]);
    const [step] = steps;
    answer.described(columns);
    expect(step?.prepared?.columns).toEqual(columns);
    row('x');
    answer.complete('SELECT 1');
    expect(step?.prepared?.columns).toEqual(columns);
    expect(decoded(exchange.results[0]?.parts ?? []).columns).toHaveLength(1);
  });
});

describe('a stream', () => {
  test('hands its rows on as they come, at most as many at a time as asked for, the columns once', () => {
    const taken: Buffer[] = [];
    const stream = { maxRows: 3, onPart: (part: Buffer) => taken.push(part) };
    const { answer, exchange, row } = anAnswer([{ stream }]);
    answer.described(columns);
    for (let at = 0; at < 7; at += 1) row(`${at}`);
    expect(taken.map((part) => texts([part]))).toEqual([
      ['0', '1', '2'],
      ['3', '4', '5'],
    ]);
    answer.complete('SELECT 7');
    expect(taken.map((part) => decoded([part]).columns.length)).toEqual([1, 0, 0]);
    expect(texts(taken)).toEqual(['0', '1', '2', '3', '4', '5', '6']);
    expect(exchange.results).toMatchObject([{ parts: [], rows: 7, command: 'SELECT' }]);
  });

  test('is not bounded by the size of a result, but its parts are', () => {
    const taken: Buffer[] = [];
    const stream = { maxRows: 1_000, onPart: (part: Buffer) => taken.push(part) };
    const { answer, exchange, row } = anAnswer([{ stream }], 1_000);
    for (let at = 0; at < 20; at += 1) expect(row('x'.repeat(50_000))).toBe(true);
    expect(answer.complete('SELECT 20')).toBe(true);
    expect(exchange.failure).toBeUndefined();
    expect(Math.max(...taken.map(({ length }) => length))).toBeLessThan(320 * 1024);
  });
});

describe('a result that is too large', () => {
  test('stops a statement that reads, and says so', () => {
    const { answer, exchange, encoder, row } = anAnswer([{}], mebibyte);
    const going = Array.from({ length: 30 }, () => row('x'.repeat(100_000)));
    expect(going.indexOf(false)).toBe(11);
    expect(going.filter((goesOn) => !goesOn)).toHaveLength(1);
    expect(exchange.failure?.error).toMatchObject({
      kind: 'exhausted',
      reason: 'RESULT_TOO_LARGE',
      target: 'orders',
      metadata: { ran: 'false' },
    });
    expect(answer.complete('SELECT 30')).toBe(true);
    expect([exchange.results, encoder.length]).toEqual([[], 0]);
  });

  test('lets a statement that writes go on, and says that it ran', () => {
    const { answer, exchange, row } = anAnswer([{ sql: 'delete from t returning a' }], 1_000);
    row('x'.repeat(2_000));
    expect(answer.complete('DELETE 1')).toBe(true);
    expect(exchange.failure?.error).toMatchObject({
      reason: 'RESULT_TOO_LARGE',
      metadata: { ran: 'true' },
    });
    expect(exchange.results).toEqual([]);
  });

  test('is given up at its next part when the memory is full, unless the statement writes or streams', () => {
    let full = false;
    const part = 'x'.repeat(300_000);
    const outcome = (sent: Sent) => {
      full = false;
      const { answer, exchange, row } = anAnswer([sent], undefined, () => full);
      const goesOn = [row(part)];
      full = true;
      goesOn.push(row(part));
      answer.complete('SELECT 2');
      const { reason, metadata } = exchange.failure?.error ?? {};
      return { goesOn, reason, ran: metadata?.['ran'] };
    };
    expect(outcome({})).toEqual({ goesOn: [true, false], reason: 'MEMORY_PRESSURE', ran: 'false' });
    expect(outcome({ sql: 'delete from t returning a' })).toEqual({
      goesOn: [true, true],
      reason: 'MEMORY_PRESSURE',
      ran: 'true',
    });
    const stream = { maxRows: 1, onPart: () => {} };
    expect(outcome({ stream })).toMatchObject({ goesOn: [true, true], reason: undefined });
  });

  test('is measured over all statements of the exchange', () => {
    const { answer, exchange, row } = anAnswer([{}, {}, {}], 1_000);
    for (const fits of [true, true, false]) {
      row('x'.repeat(400));
      expect(answer.complete('SELECT 1')).toBe(fits);
    }
    expect(exchange.failure?.error?.reason).toBe('RESULT_TOO_LARGE');
    expect(exchange.results).toHaveLength(2);
  });

  test('by a single row fails without that row, in a result and in a stream', () => {
    const { answer, exchange } = anAnswer([{}], 1_000);
    expect(answer.mostRowBytes).toBe(2_000);
    expect(answer.oversizedRow()).toBe(false);
    expect(exchange.failure?.error?.message).toContain('larger than 1000 bytes');
    expect(answer.oversizedRow()).toBe(true);
    const stream = { maxRows: 1, onPart: () => {} };
    const streamed = anAnswer([{ stream }], Infinity);
    expect(streamed.answer.mostRowBytes).toBe(64 * mebibyte);
    expect(streamed.answer.oversizedRow()).toBe(false);
    expect(streamed.exchange.failure?.error?.message).toContain('a row is larger than');
  });
});

describe('a step that fails', () => {
  test('leaves the results before it, none of its own, and the steps that were not done', () => {
    const { answer, exchange, encoder, row } = anAnswer([
      {},
      { sql: 'select 2' },
      { sql: 'select 3' },
    ]);
    row('x');
    answer.complete('SELECT 1');
    answer.bound();
    row('y');
    answer.failed({ C: '22012', M: 'division by zero' });
    expect(exchange.results).toHaveLength(1);
    expect(exchange.failure).toMatchObject({ fields: { C: '22012' }, lost: false, began: true });
    expect(answer.undone.map(({ sql }) => sql)).toEqual(['select 2', 'select 3']);
    expect(encoder.length).toBe(0);
  });

  test('before it was bound did not begin', () => {
    const { answer, exchange } = anAnswer([{}, {}]);
    answer.bound();
    answer.complete('SELECT 0');
    answer.failed({ C: '26000' });
    expect(exchange.failure?.began).toBe(false);
  });

  test('keeps its first failure, whatever follows', () => {
    const { answer, exchange } = anAnswer([{}], 10);
    answer.row(dataRow(['x'.repeat(100)]), bodyAt);
    answer.complete('SELECT 1');
    answer.failed({ C: '57014' });
    answer.failed({ C: '42601' });
    expect(exchange.failure?.error?.reason).toBe('RESULT_TOO_LARGE');
    expect(exchange.failure?.fields).toEqual({ C: '57014' });
  });
});

test('a statement is known to the server when that has confirmed it', () => {
  const { answer, steps } = anAnswer([{ named: true }, {}]);
  expect(steps[0]?.prepared?.confirmed).toBe(false);
  answer.parsed();
  expect(steps[0]?.prepared?.confirmed).toBe(true);
  answer.complete('SELECT 0');
  expect(() => answer.parsed()).not.toThrow();
  answer.complete('SELECT 0');
  expect(() => answer.described(columns)).not.toThrow();
});

test('the columns that a prepared statement keeps do not keep a block of memory with them', () => {
  const { answer, steps } = anAnswer([{ named: true }]);
  const pooled = Buffer.from('columns');
  expect(pooled.buffer.byteLength).toBeGreaterThan(1_000);
  answer.described(pooled);
  expect(steps[0]?.prepared?.columns).toEqual(pooled);
  expect(steps[0]?.prepared?.columns?.buffer.byteLength).toBe(pooled.length);
});
