import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HoldfastError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { encodeMessage } from './contract.ts';
import { readBatch } from './database-messages.ts';
import { readServerFrames } from './frames.ts';
import { arrays, expectedArrays, objects, queryResult, status, text } from './messages.test-kit.ts';
import { readPage } from './page-messages.ts';
import { type QueryResult, readQueryResult } from './query-result.ts';
import { readPipeline, readReply, type RedisValue } from './redis-messages.ts';
import { emptySlot } from './shape.ts';
import { Statements } from './statements.ts';

const runs = { numRuns: 200 };

const encoded = (name: string, message: object): Buffer =>
  Buffer.from(encodeMessage(`holdfast.v1.${name}`, message as Record<string, unknown>));

function parse<T>(bytes: Buffer, read: (reader: ByteReader, end: number) => T): T {
  const reader = new ByteReader(bytes);
  const value = read(reader, bytes.length);
  expect(reader.at).toBe(bytes.length);
  return value;
}

test('a QueryResult of the generated codec is read, with the columns of the last one and with new ones', () => {
  const slot = emptySlot();
  fc.assert(
    fc.property(queryResult, (message) => {
      const bytes = encoded('QueryResult', message);
      const first = parse(bytes, (reader, end) => readQueryResult(reader, end, slot, arrays));
      const again = parse(bytes, (reader, end) => readQueryResult(reader, end, slot, arrays));
      expect(first).toEqual(expectedArrays(message));
      expect(again).toEqual(first);
      expect(again.columns).toBe(first.columns);
    }),
    runs,
  );
});

test('columns that begin like the last ones are not taken for them', () => {
  const slot = emptySlot();
  const columns = ['a', 'b', 'c'].map((name) => ({ name, typeOid: 25, typeModifier: -1 }));
  for (const count of [1, 2, 3, 2, 1, 3]) {
    const some = columns.slice(0, count);
    const rows = [{ cells: some.map(({ name }) => ({ text: name })) }];
    const bytes = encoded('QueryResult', { columns: some, rows });
    const result = parse(bytes, (reader, end) => readQueryResult(reader, end, slot, objects));
    expect(result.columns).toEqual(some);
    expect(result.rows).toEqual([Object.fromEntries(some.map(({ name }) => [name, name]))]);
  }
});

test('the parts of a chunked result make the whole', () => {
  fc.assert(
    fc.property(queryResult, fc.nat(4), (message, cut) => {
      const parts = [
        { columns: message.columns, rows: message.rows.slice(0, cut) },
        { rows: message.rows.slice(cut), ...pick(message) },
      ];
      let result: QueryResult<unknown> | undefined;
      for (const part of parts) {
        const bytes = encoded('QueryResult', part);
        result = parse(bytes, (reader, end) =>
          readQueryResult(reader, end, emptySlot(), arrays, result),
        );
      }
      expect(result).toEqual(expectedArrays(message));
    }),
    runs,
  );
});

const pick = ({ rowsAffected, command }: { rowsAffected: number; command: string }) => ({
  rowsAffected,
  command,
});

test('a column called __proto__ is a column like any other', () => {
  const columns = [{ name: '__proto__', typeOid: 3802, typeModifier: -1 }];
  const bytes = encoded('QueryResult', { columns, rows: [{ cells: [{ text: '{"a":1}' }] }] });
  const { rows } = parse(bytes, (reader, end) =>
    readQueryResult(reader, end, emptySlot(), objects),
  );
  const row = rows[0] as object;
  expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
  expect(Object.entries(row)).toEqual([['__proto__', { a: 1 }]]);
});

test('a row that does not fit its columns is an error', () => {
  const columns = [{ name: 'a', typeOid: 25, typeModifier: -1 }];
  for (const cells of [[], [{ text: '1' }, { text: '2' }]]) {
    const bytes = encoded('QueryResult', { columns, rows: [{ cells }] });
    for (const format of [arrays, objects]) {
      const read = (): unknown =>
        parse(bytes, (reader, end) => readQueryResult(reader, end, emptySlot(), format));
      expect(read).toThrow('a row does not fit its columns');
    }
  }
});

test('a BatchResult is read, errors included', () => {
  const outcome = fc.oneof(
    queryResult.map((result) => ({ result })),
    status.map((error) => ({ error })),
  );
  fc.assert(
    fc.property(fc.array(outcome), (results) => {
      const statement = new Statements().get('select');
      const request = {
        statements: results.map(() => ({ statement, params: [] })),
        pool: '',
        atomic: false,
        idempotent: false,
        commitId: '',
        format: arrays,
      };
      const bytes = encoded('BatchResult', { results });
      const outcomes = parse(bytes, (reader, end) => readBatch(reader, end, request, undefined));
      expect(outcomes).toHaveLength(results.length);
      for (const [index, each] of results.entries()) {
        const expected =
          'result' in each ? expectedArrays(each.result) : { message: each.error.message };
        expect(outcomes[index]).toMatchObject(expected);
      }
    }),
    runs,
  );
});

test('a PageResult in two parts is read', () => {
  const columns = [{ name: 'id', typeOid: 23, typeModifier: -1 }];
  const row = (id: number): object => ({ cells: [{ text: String(id) }] });
  const request = { table: 't', pool: '', format: objects };
  const parts = [
    { result: { columns, rows: [row(1)] } },
    { result: { rows: [row(2)], rowsAffected: 2, command: 'SELECT' } },
    { page: 3, pageSize: 2, hasMore: true, total: 7 },
  ];
  let page: ReturnType<typeof readPage> | undefined;
  for (const part of parts) {
    page = parse(encoded('PageResult', part), (reader, end) =>
      readPage(reader, end, request, page),
    );
  }
  expect(page).toEqual({
    columns,
    rows: [{ id: 1 }, { id: 2 }],
    rowsAffected: 2,
    command: 'SELECT',
    page: 3,
    pageSize: 2,
    hasMore: true,
    total: 7,
  });
});

/** A reply as protobufjs takes it, and as it is decoded. */
const reply: fc.Arbitrary<{ message: object; value: RedisValue }> = fc.letrec<{
  reply: { message: object; value: RedisValue };
}>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constant({ message: { null: 0 }, value: null }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({
      message: { integer: String(value) },
      value: Number.isSafeInteger(Number(value)) ? Number(value) : value,
    })),
    text.map((value) => ({ message: { bytes: Buffer.from(value) }, value })),
    fc.array(tie('reply'), { maxLength: 4 }).map((items) => ({
      message: { array: { items: items.map(({ message }) => message) } },
      value: items.map(({ value }) => value),
    })),
  ),
})).reply;

test('a RedisReply and a PipelineReply are read, to any depth', () => {
  fc.assert(
    fc.property(fc.array(reply), (replies) => {
      for (const { message, value } of replies) {
        const bytes = encoded('RedisReply', message);
        expect(parse(bytes, (reader, end) => readReply(reader, end, false))).toEqual(value);
      }
      const bytes = encoded('PipelineReply', {
        outcomes: replies.map(({ message }) => ({ reply: message })),
      });
      const rest = { idempotent: false, atomic: false, asBuffers: false };
      const request = { commands: [], pool: '', ...rest };
      expect(parse(bytes, (reader, end) => readPipeline(reader, end, request, undefined))).toEqual(
        replies.map(({ value }) => value),
      );
    }),
    runs,
  );
});

test('Redis bytes stay bytes when asked, and errors inside a reply are values', () => {
  const message = {
    array: { items: [{ bytes: Buffer.from([0xff, 0]) }, { error: 'WRONGTYPE x' }] },
  };
  const value = parse(encoded('RedisReply', message), (reader, end) =>
    readReply(reader, end, true),
  ) as RedisValue[];
  expect(value[0]).toEqual(Buffer.from([0xff, 0]));
  expect(value[1]).toBeInstanceOf(HoldfastError);
  expect(value[1]).toMatchObject({ reason: 'REDIS_ERROR', message: 'WRONGTYPE x' });
});

test('the frames of a message are taken apart in order', () => {
  const frame = fc.record({
    id: fc.nat(0xffff_ffff),
    more: fc.boolean(),
    query: queryResult,
  });
  fc.assert(
    fc.property(fc.array(frame), (frames) => {
      const seen: unknown[] = [];
      readServerFrames(encoded('ServerFrames', { frames }), {
        onFrame: (id, more, field, reader, end) => {
          expect(field).toBe(6);
          seen.push({ id, more, ...readQueryResult(reader, end, emptySlot(), arrays) });
        },
      });
      expect(seen).toEqual(
        frames.map(({ id, more, query }) => ({ id, more, ...expectedArrays(query) })),
      );
    }),
    runs,
  );
});

test('1,000 random mutations of a message end in an error or a result, never in a hang', () => {
  const message = encoded('ServerFrames', {
    frames: [
      {
        id: 1,
        query: {
          columns: [{ name: 'a', typeOid: 25, typeModifier: -1 }],
          rows: [{ cells: [{ text: 'x' }] }, { cells: [{}] }],
          command: 'SELECT',
        },
      },
    ],
  });
  fc.assert(
    fc.property(
      fc.nat(message.length - 1),
      fc.nat(255),
      fc.nat(message.length),
      (at, byte, size) => {
        const broken = Buffer.from(message.subarray(0, Math.max(at + 1, size)));
        broken[at] = byte;
        try {
          readServerFrames(broken, {
            onFrame: (_id, _more, _field, reader, end) => {
              readQueryResult(reader, end, emptySlot(), objects);
            },
          });
        } catch (error) {
          assert(error instanceof Error);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});
