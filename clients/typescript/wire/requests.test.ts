import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter } from './byte-writer.ts';
import { messageType } from './contract.ts';
import { writeBatch, writeQuery, writeStream } from './database-messages.ts';
import { writeFrame } from './frames.ts';
import { objects, text } from './messages.test-kit.ts';
import { cancel, command, query } from './operations.ts';
import { writeCommand, writePipeline, writePublish, writeScript } from './redis-messages.ts';
import { Statements } from './statements.ts';

const runs = { numRuns: 200 };

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

const reencoded = (name: string, bytes: Buffer): Buffer => {
  const type = messageType(`holdfast.v1.${name}`);
  return Buffer.from(type.encode(type.decode(bytes)).finish());
};

/** A parameter and the Value that stands for it. */
const parameter = fc.oneof(
  fc.constant({ param: null, value: { null: 'NULL' } }),
  text.map((param) => ({ param, value: { text: param } })),
  fc.maxSafeInteger().map((param) => ({ param, value: { int: String(param) } })),
  fc
    .double()
    .filter((param) => !Number.isSafeInteger(param))
    .map((param) => ({ param, value: { double: param } })),
  fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .map((param) => ({ param, value: { int: String(param) } })),
  fc.bigInt({ min: 2n ** 63n }).map((param) => ({ param, value: { text: String(param) } })),
  fc.boolean().map((param) => ({ param, value: { bool: param } })),
  fc.uint8Array().map((param) => ({ param, value: { bytes: Buffer.from(param) } })),
);

const statement = fc.record({ sql: text, parameters: fc.array(parameter, { maxLength: 5 }) });

/** Empty strings, empty lists and false do not travel. */
const without = (message: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(message).filter(
      ([, value]) => !(value === '' || value === false || value === 0) && !isEmptyList(value),
    ),
  );
const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

const statementMessage = (sql: string, params: unknown[]): Record<string, unknown> => ({
  // Written always, as it is there always.
  sql,
  ...without({ params }),
});

test('a QueryRequest reads as the generated codec reads it, and again when its text is remembered', () => {
  const statements = new Statements();
  fc.assert(
    fc.property(statement, text, fc.boolean(), ({ sql, parameters }, pool, idempotent) => {
      const params = parameters.map(({ param }) => param);
      const request = {
        statement: statements.get(sql),
        params,
        pool,
        idempotent,
        commitId: sql,
        format: objects,
      };
      const expected = {
        ...statementMessage(
          sql,
          parameters.map(({ value }) => value),
        ),
        ...without({ pool, idempotent, commitId: sql }),
      };
      for (let time = 0; time < 2; time += 1) {
        const bytes = written((writer) => writeQuery(writer, request));
        expect(decoded('QueryRequest', bytes)).toEqual(expected);
      }
    }),
    runs,
  );
});

test('a BatchRequest and a StreamRequest read as the generated codec reads them', () => {
  const statements = new Statements();
  fc.assert(
    fc.property(fc.array(statement), text, fc.boolean(), fc.nat(), (each, pool, atomic, rows) => {
      const list = each.map(({ sql, parameters }) => ({
        statement: statements.get(sql),
        params: parameters.map(({ param }) => param),
      }));
      const messages = each.map(({ sql, parameters }) =>
        statementMessage(
          sql,
          parameters.map(({ value }) => value),
        ),
      );
      const rest = { pool, idempotent: !atomic, commitId: pool, format: objects };
      const bytes = written((writer) => writeBatch(writer, { statements: list, atomic, ...rest }));
      expect(decoded('BatchRequest', bytes)).toEqual(
        without({ statements: messages, pool, atomic, idempotent: !atomic, commitId: pool }),
      );
      const [first] = list;
      if (first === undefined) return;
      const stream = written((writer) => writeStream(writer, { ...first, ...rest }, rows));
      expect(decoded('StreamRequest', stream)).toEqual({
        query: { ...messages[0], ...without({ pool, idempotent: !atomic, commitId: pool }) },
        ...without({ maxRows: rows }),
      });
    }),
    runs,
  );
});

const argument = fc.oneof(text, fc.uint8Array(), fc.integer(), fc.bigInt());
const argumentBytes = (arg: unknown): Buffer =>
  arg instanceof Uint8Array ? Buffer.from(arg) : Buffer.from(String(arg));

test('Redis requests read as the generated codec reads them', () => {
  fc.assert(
    fc.property(fc.array(fc.array(argument)), text, fc.boolean(), (commands, pool, idempotent) => {
      const rest = { pool, idempotent, asBuffers: false };
      const atomic = !idempotent;
      const pipeline = written((writer) => writePipeline(writer, { commands, atomic, ...rest }));
      expect(decoded('PipelineRequest', pipeline)).toEqual(
        without({
          commands: commands.map((args) => without({ args: args.map(argumentBytes) })),
          pool,
          idempotent,
          atomic,
        }),
      );
      const args = commands[0] ?? [];
      const single = written((writer) => writeCommand(writer, { args, ...rest }));
      expect(decoded('CommandRequest', single)).toEqual(
        without({ args: args.map(argumentBytes), pool, idempotent }),
      );
      const keys = commands[1] ?? [];
      const request = { body: 'return 1', keys, args, operationId: pool, ...rest };
      const script = written((writer) => writeScript(writer, request));
      expect(decoded('ScriptRequest', script)).toEqual({
        body: 'return 1',
        ...without({ keys: keys.map(argumentBytes), args: args.map(argumentBytes) }),
        ...without({ operationId: pool, pool, idempotent }),
      });
      const message = { channel: pool, message: args[0] ?? '', pool, sharded: idempotent };
      const published = written((writer) => writePublish(writer, message));
      expect(decoded('PublishRequest', published)).toEqual({
        channel: Buffer.from(pool),
        message: argumentBytes(message.message),
        ...without({ pool, sharded: idempotent }),
      });
    }),
    runs,
  );
});

test('frames read as the generated codec reads them, byte for byte', () => {
  const statements = new Statements();
  const envelope = fc.record({
    id: fc.integer({ min: 1, max: 0xffff_ffff }),
    transactionId: fc.nat(0xffff_ffff),
    deadlineMs: fc.oneof(
      fc.constant(Infinity),
      fc.double({ min: 0.5, max: 2 ** 40, noNaN: true, noDefaultInfinity: true }),
    ),
    traceparent: fc.constantFrom('', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
    priority: fc.constantFrom('high' as const, 'normal' as const, 'low' as const, undefined),
    sql: text,
  });
  fc.assert(
    fc.property(fc.array(envelope), (frames) => {
      const bytes = written((writer) => {
        for (const { id, transactionId, deadlineMs, sql, ...options } of frames) {
          const request = {
            statement: statements.get(sql),
            params: [1],
            pool: 'p',
            idempotent: false,
            commitId: '',
            format: objects,
          };
          const call = { operation: query, request, body: undefined, options };
          writeFrame(writer, id, transactionId, deadlineMs, call);
        }
      });
      const expected = frames.map(({ id, transactionId, deadlineMs, sql, ...options }) => ({
        id,
        ...without({
          traceparent: options.traceparent,
          deadlineMs:
            deadlineMs === Infinity ? 0 : Math.min(Math.max(1, Math.ceil(deadlineMs)), 0xffff_ffff),
          transactionId,
        }),
        ...(options.priority === undefined
          ? {}
          : { priority: `PRIORITY_${options.priority.toUpperCase()}` }),
        query: { sql, params: [{ int: '1' }], pool: 'p' },
      }));
      expect(decoded('ClientFrames', bytes)).toEqual(without({ frames: expected }));
      // The generated codec leaves out an empty text.
      fc.pre(frames.every(({ sql }) => sql !== ''));
      expect(reencoded('ClientFrames', bytes)).toEqual(bytes);
    }),
    runs,
  );
});

test('a frame takes a request that is encoded already', () => {
  const args = ['GET', 'key'];
  const request = { args, pool: '', idempotent: false, asBuffers: false };
  const body = written((writer) => writeCommand(writer, request));
  const frame = (encoded: Uint8Array | undefined): Buffer =>
    written((writer) => {
      writeFrame(writer, 7, 0, 5, { operation: command, request, body: encoded, options: {} });
      writeFrame(writer, 8, 0, Infinity, {
        operation: cancel,
        request: 7,
        body: undefined,
        options: {},
      });
    });
  expect(frame(body)).toEqual(frame(undefined));
  expect(decoded('ClientFrames', frame(body))).toEqual({
    frames: [
      { id: 7, deadlineMs: 5, command: { args: args.map((arg) => Buffer.from(arg)) } },
      { id: 8, cancel: { id: 7 } },
    ],
  });
});
