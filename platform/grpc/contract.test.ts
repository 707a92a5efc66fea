import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import type { PageResult__Output } from '../gen/holdfast/v1/PageResult.ts';
import type { QueryRequest__Output } from '../gen/holdfast/v1/QueryRequest.ts';
import type { Value__Output } from '../gen/holdfast/v1/Value.ts';
import { anyMessage } from './any-message.test-kit.ts';
import { loadContract, loaderOptions, loadMessages, serviceOf } from './contract.ts';

const contract = loadContract();
const messages = loadMessages();

test('messages are read with the options that their types are generated with', () => {
  const source = readFileSync(new URL('../../scripts/generate.ts', import.meta.url), 'utf8');
  const flag = /'--(keepCase|longs|enums|bytes|defaults|arrays|objects|oneofs|json)(?:=(\w+))?'/g;
  const types: Readonly<Record<string, unknown>> = { String, Number, Array };
  const options: Record<string, unknown> = {};
  for (const [, name = '', type] of source.matchAll(flag)) {
    options[name] = type === undefined ? true : types[type];
  }
  expect(options).toEqual(loaderOptions);
});

const types = messages.lookup('holdfast.v1') as protobuf.Namespace;
const names = types.nestedArray
  .filter((each) => each instanceof protobuf.Type)
  .map(({ name }) => name);

/** What a service does with a message that it sends, and its peer with the bytes. */
function throughTheWire(name: string, message: object): unknown {
  const { serialize, deserialize } = contract[`holdfast.v1.${name}`] as unknown as {
    serialize: (message: object) => Buffer;
    deserialize: (bytes: Buffer) => unknown;
  };
  return deserialize(serialize(message));
}

describe('every message of the contract', () => {
  test.each(names)('%s comes back from the wire as it was sent, whatever is in it', (name) => {
    const type = types.lookupType(name);
    fc.assert(
      fc.property(anyMessage(type), (message) => {
        const received = throughTheWire(name, message) as object;
        expect(received).toEqual(type.toObject(type.fromObject(message), loaderOptions));
        for (const [field, value] of Object.entries(message)) {
          if (typeof value === 'object') continue; // with defaults filled in by now
          expect({ field, value: received[field as keyof typeof received] }).toEqual({
            field,
            value,
          });
        }
        expect(throughTheWire(name, received)).toEqual(received);
      }),
      { numRuns: 25 },
    );
  });
});

describe('messages have the shape that their types promise', () => {
  test('what was not sent has its default', () => {
    const expected: QueryRequest__Output = {
      sql: '',
      params: [],
      pool: '',
      idempotent: false,
      commitId: '',
    };
    expect(throughTheWire('QueryRequest', {})).toEqual(expected);
  });

  test('enums are names, 64-bit integers are strings, and a oneof tells which field it has', () => {
    const value: Value__Output = { int: '-9223372036854775808', kind: 'int' };
    expect(throughTheWire('Value', { int: '-9223372036854775808' })).toEqual(value);
    const nothing: Value__Output = { null: 'NULL', kind: 'null' };
    expect(throughTheWire('Value', { null: 'NULL' })).toEqual(nothing);
    expect(throughTheWire('Value', {})).toEqual({});
  });

  test('a field that may be absent is absent, or there with its default', () => {
    const page = { result: null, page: 0, pageSize: 0, hasMore: false };
    const without: PageResult__Output = page;
    expect(throughTheWire('PageResult', {})).toEqual(without);
    const empty: PageResult__Output = { ...page, total: '0', _total: 'total' };
    expect(throughTheWire('PageResult', { total: 0 })).toEqual(empty);
  });
});

test('services are found by their names, and nothing else is taken for one', () => {
  expect(Object.keys(serviceOf(contract, 'Database'))).toEqual([
    'Query',
    'Batch',
    'Stream',
    'Transaction',
    'Outcome',
    'Page',
  ]);
  expect(serviceOf(contract, 'Session')['Open']).toMatchObject({
    path: '/holdfast.v1.Session/Open',
    requestStream: true,
    responseStream: true,
  });
  expect(() => serviceOf(contract, 'QueryRequest')).toThrow('no service holdfast.v1.QueryRequest');
  expect(() => serviceOf(contract, 'Nonsense')).toThrow('no service holdfast.v1.Nonsense');
});

test('every request that a frame can carry has its answer under the same name and number', () => {
  const requests = types.lookupType('ClientFrame').oneofs['request']?.fieldsArray ?? [];
  const answers = types.lookupType('ServerFrame').fields;
  expect(requests.length).toBeGreaterThan(0);
  for (const { name, id } of requests) expect(answers[name]).toMatchObject({ name, id });
});
