import fc from 'fast-check';
import type protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { HoldfastError } from '../../platform/errors.ts';
import { anyMessage } from '../../platform/grpc/any-message.test-kit.ts';
import { loaderOptions, loadMessages } from '../../platform/grpc/contract.ts';
import { StatusEncoder } from '../../platform/grpc/status.ts';
import { FrameTable } from './frame-table.ts';
import type { AnyOperation } from './operation.ts';

const messages = loadMessages();
const statuses = new StatusEncoder(messages);
const clientFrame = messages.lookupType('holdfast.v1.ClientFrame');
const serverFrame = messages.lookupType('holdfast.v1.ServerFrame');
const requests = (clientFrame.oneofs['request']?.fieldsArray ?? []).map((field) => field.resolve());

const operation = (name: `${string}.${string}`, frame?: string): AnyOperation => ({
  name,
  ...(frame === undefined ? {} : { frame }),
  target: () => 'default',
  handle: () => Promise.resolve({}),
});
const all = requests
  .filter(({ name }) => name !== 'cancel')
  .map(({ name }) => operation(`Any.${name}`, name));
const table = new FrameTable([...all, operation('Stream.Only')], messages, statuses);

const responseType = (name: string): protobuf.Type =>
  serverFrame.fields[name]?.resolve().resolvedType as protobuf.Type;

describe('an operation', () => {
  test.each(requests.map(({ name, id }) => [name, id] as const))(
    '%s is found by the number of its field, %i',
    (name, id) => {
      const expected = name === 'cancel' ? 'Session.Cancel' : `Any.${name}`;
      expect(table.operation(id)).toMatchObject({ name: expected, number: id });
    },
  );

  test('is not found by any other number', () => {
    const known = new Set(requests.map(({ id }) => id));
    const strangers = Array.from({ length: 600 }, (_, at) => at).filter((id) => !known.has(id));
    expect(strangers.filter((id) => table.operation(id) !== undefined)).toEqual([]);
  });

  test('reads its request and writes its answer as a stock library does', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...requests).chain((field) => {
          const type = field.resolvedType as protobuf.Type;
          return fc.tuple(
            fc.constant(field),
            anyMessage(type),
            anyMessage(responseType(field.name)),
          );
        }),
        ([field, request, response]) => {
          const type = field.resolvedType as protobuf.Type;
          const found = table.operation(field.id);
          const bytes = Buffer.from(type.encode(type.fromObject(request)).finish());
          expect(found?.deserialize(bytes)).toEqual(
            type.toObject(type.fromObject(request), loaderOptions),
          );
          const answer = responseType(field.name);
          expect(answer.toObject(answer.decode(found?.serialize(response) ?? bytes))).toEqual(
            answer.toObject(answer.fromObject(response)),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  test('decodes or throws when its request was changed on the way', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 });
    const request = fc
      .constantFrom(...requests)
      .chain((field) =>
        fc.tuple(fc.constant(field), anyMessage(field.resolvedType as protobuf.Type)),
      );
    fc.assert(
      fc.property(request, changes, fc.nat(), ([field, message], changes, end) => {
        const type = field.resolvedType as protobuf.Type;
        const bytes = Buffer.from(type.encode(type.fromObject(message)).finish());
        for (const [at, byte] of changes) bytes[at % (bytes.length + 1)] = byte;
        try {
          const cut = bytes.subarray(0, end % 3 === 0 ? end % (bytes.length + 1) : bytes.length);
          return typeof table.operation(field.id)?.deserialize(cut) === 'object';
        } catch (thrown) {
          return thrown instanceof Error;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('whose request lost its end is not run as what is left of it', () => {
    const found = table.operation(clientFrame.fields['query']?.id ?? 0);
    const sql = 'delete from items where id = 1';
    const type = messages.lookupType('holdfast.v1.QueryRequest');
    const bytes = Buffer.from(type.encode({ sql }).finish());
    expect(found?.deserialize(bytes)).toMatchObject({ sql });
    for (let length = 1; length < bytes.length; length += 1) {
      expect(() => found?.deserialize(bytes.subarray(0, length))).toThrow(Error);
    }
  });

  test('with a frame that the contract does not have is a fault of the program', () => {
    expect(() => new FrameTable([operation('A.B', 'nonsense')], messages, statuses)).toThrow(
      'ClientFrame has no field nonsense',
    );
    expect(() => new FrameTable([operation('A.B', 'deadlineMs')], messages, statuses)).toThrow(
      'ServerFrame has no field deadlineMs',
    );
    expect(() => table.push('id')).toThrow('the field id is not a message');
  });
});

test('a cancel is run by its session only', async () => {
  const {
    frame = '',
    handle,
    target,
    exempt,
  } = table.operation(clientFrame.fields['cancel']?.id ?? 0) ?? operation('A.B');
  expect([frame, exempt, target({}, undefined as never)]).toEqual(['cancel', true, '']);
  await expect(handle({}, undefined as never)).rejects.toThrow('by its session');
});

test('what is pushed has the number and the form of its field', () => {
  const { number, serialize } = table.push('transactionEnded');
  const { id } = serverFrame.fields['transactionEnded'] ?? {};
  expect(number).toBe(id);
  const ended = responseType('transactionEnded');
  const sent = { transactionId: 3, reason: { code: 10, message: 'gone' } };
  expect(ended.toObject(ended.decode(serialize(sent)))).toEqual(sent);
});

test('errors have the number of their field, and are google.rpc.Status, alone and in a trailer', () => {
  const error = new HoldfastError('exhausted', 'SESSION_LIMIT', 'too many', { retryAfterMs: 10 });
  expect(table.errorNumber).toBe(serverFrame.fields['error']?.id);
  expect(table.encodeError(error)).toEqual(statuses.encode(error));
  expect(table.trailer(error)).toEqual(statuses.trailer(error));
});
