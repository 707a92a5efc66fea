import { expect, test } from 'vitest';
import { ByteWriter } from './byte-writer.ts';
import { messageType } from './contract.ts';
import { objects } from './messages.test-kit.ts';
import { batch } from './operations.ts';
import { writePage } from './page-messages.ts';
import { writeCommand } from './redis-messages.ts';
import { Statements } from './statements.ts';
import { writeBegin, writeFetch, writeSavepoint } from './transaction-messages.ts';

const written = (write: (writer: ByteWriter) => void): Buffer => {
  const writer = new ByteWriter();
  write(writer);
  return writer.take();
};

/** Decoded by the generated codec, without defaults: the fields that were on the wire. */
function decoded(name: string, bytes: Buffer): unknown {
  const type = messageType(`holdfast.v1.${name}`);
  return type.toObject(type.decode(bytes), { longs: String, bytes: Buffer, enums: String });
}

test('a page request reads as the generated codec reads it', () => {
  const bytes = written((writer) =>
    writePage(writer, {
      pool: 'p',
      format: objects,
      table: 'public.orders',
      page: 3,
      pageSize: 20,
      sort: [{ column: 'at', descending: true, nulls: 'last' }, { column: 'id' }],
      filters: [
        { column: 'total', operator: '>=', value: 10.5 },
        { column: 'state', operator: 'in', values: ['new', 'paid'] },
        { column: 'gone', operator: 'is null' },
      ],
      fields: ['id', 'total'],
      withTotal: true,
    }),
  );
  expect(decoded('PageRequest', bytes)).toEqual({
    pool: 'p',
    table: 'public.orders',
    page: 3,
    pageSize: 20,
    sort: [{ column: 'at', descending: true, nulls: 'NULL_ORDER_LAST' }, { column: 'id' }],
    filters: [
      { column: 'total', operator: 'FILTER_OPERATOR_GE', values: [{ double: 10.5 }] },
      {
        column: 'state',
        operator: 'FILTER_OPERATOR_IN',
        values: [{ text: 'new' }, { text: 'paid' }],
      },
      { column: 'gone', operator: 'FILTER_OPERATOR_IS_NULL' },
    ],
    fields: ['id', 'total'],
    withTotal: true,
  });
});

test('the requests of a transaction read as the generated codec reads them', () => {
  const begun = written((writer) =>
    writeBegin(writer, {
      pool: 'p',
      isolation: 'serializable',
      readOnly: true,
      deferrable: true,
      timeoutMs: 5,
      idleTimeoutMs: 6,
    }),
  );
  expect(decoded('Begin', begun)).toEqual({
    pool: 'p',
    isolation: 'ISOLATION_SERIALIZABLE',
    readOnly: true,
    deferrable: true,
    timeoutMs: 5,
    idleTimeoutMs: 6,
  });
  expect(written((writer) => writeBegin(writer, { pool: '' }))).toHaveLength(0);
  const mark = written((writer) => writeSavepoint(writer, { action: 'RELEASE', name: 'a' }));
  expect(decoded('Savepoint', mark)).toEqual({ action: 'ACTION_RELEASE', name: 'a' });
  const fetched = written((writer) =>
    writeFetch(writer, { cursor: 'c', maxRows: 9, format: objects }),
  );
  expect(decoded('Fetch', fetched)).toEqual({ cursor: 'c', maxRows: 9 });
});

test('what cannot be sent is refused by name', () => {
  const refused = (write: (writer: ByteWriter) => void): (() => Buffer) => {
    return () => written(write);
  };
  const pool = '';
  expect(refused((writer) => writeBegin(writer, { pool, timeoutMs: -1 }))).toThrow('timeoutMs');
  expect(refused((writer) => writeBegin(writer, { pool, isolation: 'x' as never }))).toThrow(
    'isolation',
  );
  const filters = [{ column: 'a', operator: '; drop' as never }];
  expect(
    refused((writer) => writePage(writer, { pool, table: 't', filters, format: objects })),
  ).toThrow("a filter's operator is one of =, <>");
  const args = [{} as never];
  expect(
    refused((writer) => writeCommand(writer, { args, pool, idempotent: false, asBuffers: false })),
  ).toThrow('a Redis argument');
  const many = { statement: new Statements().get('s'), params: [undefined] };
  expect(
    refused((writer) =>
      batch.write(writer, {
        statements: [many],
        pool,
        atomic: true,
        idempotent: false,
        commitId: '',
        format: objects,
      }),
    ),
  ).toThrow('undefined (null is NULL)');
});
