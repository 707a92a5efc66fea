import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { anyMessage } from '../../platform/grpc/any-message.test-kit.ts';
import { loadMessages } from '../../platform/grpc/contract.ts';
import { decodeClientFrames, encodeServerFrames, type ServerFrame } from './session-codec.ts';

const messages = loadMessages();
const clientFrames = messages.lookupType('holdfast.v1.ClientFrames');
const clientFrame = messages.lookupType('holdfast.v1.ClientFrame');
const serverFrames = messages.lookupType('holdfast.v1.ServerFrames');
const serverFrame = messages.lookupType('holdfast.v1.ServerFrame');

type Plain = Record<string, unknown>;
const encoded = (frames: readonly Plain[]): Buffer =>
  Buffer.from(clientFrames.encode(clientFrames.fromObject({ frames })).finish());

const words = ['PRIORITY_UNSPECIFIED', 'PRIORITY_HIGH', 'PRIORITY_NORMAL', 'PRIORITY_LOW'];
const meanings = ['normal', 'high', 'normal', 'low'];
const requests = clientFrame.oneofs['request']?.fieldsArray ?? [];

/** The frame that the session should see, with its request as the message that it is. */
function expected(frame: Plain): Plain {
  const request = requests.find(({ name }) => frame[name] !== undefined);
  return {
    id: frame['id'] ?? 0,
    traceparent: frame['traceparent'] ?? '',
    deadlineMs: frame['deadlineMs'] ?? 0,
    transactionId: frame['transactionId'] ?? 0,
    priority: meanings[Math.max(0, words.indexOf(frame['priority'] as string))],
    field: request?.id ?? 0,
    request: request === undefined ? '' : plain(typeOf(request), frame[request.name] as Plain),
  };
}

const typeOf = (field: protobuf.Field): protobuf.Type =>
  field.resolve().resolvedType as protobuf.Type;
const plain = (type: protobuf.Type, message: Plain): Plain =>
  type.toObject(type.fromObject(message));

const read = (bytes: Buffer): Plain[] =>
  decodeClientFrames(bytes).map(({ field, request, ...rest }) => {
    const found = requests.find(({ id }) => id === field);
    if (found === undefined) return { ...rest, field, request: request.toString('latin1') };
    const type = typeOf(found);
    return { ...rest, field, request: type.toObject(type.decode(request)) };
  });

const frames = fc.array(anyMessage(clientFrame, 2), { maxLength: 6 });

describe('frames of a client', () => {
  test('are read as a stock library wrote them', () => {
    fc.assert(
      fc.property(frames, (frames) => {
        expect(read(encoded(frames))).toEqual(frames.map(expected));
      }),
      { numRuns: 300 },
    );
  });

  test('may come in several messages joined to one', () => {
    fc.assert(
      fc.property(frames, frames, (first, second) => {
        const joined = Buffer.concat([encoded(first), encoded(second)]);
        expect(read(joined)).toEqual([...first, ...second].map(expected));
      }),
    );
  });

  test('are read past what a newer client adds', () => {
    const query = { id: 7, query: { sql: 'select 1' } };
    const frame = clientFrame.encode(clientFrame.fromObject(query)).finish();
    const newer = protobuf.Writer.create()
      .uint32((600 << 3) | 0)
      .uint32(5)
      .uint32((601 << 3) | 1)
      .fixed64(1)
      .uint32((602 << 3) | 5)
      .fixed32(1)
      .finish();
    const message = protobuf.Writer.create()
      .uint32((1 << 3) | 2)
      .bytes(Buffer.concat([frame, newer]))
      .uint32((9 << 3) | 2)
      .string('of the message')
      .uint32((10 << 3) | 0)
      .uint32(1)
      .finish();
    expect(read(Buffer.from(message))).toEqual([expected(query)]);
  });

  test('with a request that this sidecar does not know keep its number and bytes', () => {
    const frame = protobuf.Writer.create()
      .uint32(8)
      .uint32(3)
      .uint32((511 << 3) | 2)
      .string('new');
    const message = protobuf.Writer.create().uint32(10).bytes(frame.finish()).finish();
    expect(read(Buffer.from(message))).toMatchObject([{ id: 3, field: 511, request: 'new' }]);
  });

  test('with two requests have the last, as in any oneof', () => {
    const both = [{ query: { sql: 'select 1' } }, { cancel: { id: 9 } }].map((request) =>
      clientFrame.encode(clientFrame.fromObject(request)).finish(),
    );
    const message = protobuf.Writer.create().uint32(10).bytes(Buffer.concat(both)).finish();
    expect(read(Buffer.from(message))).toMatchObject([{ field: 15, request: { id: 9 } }]);
  });

  test('with a priority that nobody knows have the normal one', () => {
    for (const priority of [4, 1_000, -1]) {
      const frame = protobuf.Writer.create()
        .uint32(8)
        .uint32(3)
        .uint32(40)
        .int32(priority)
        .finish();
      const message = protobuf.Writer.create().uint32(10).bytes(frame).finish();
      expect(read(Buffer.from(message))).toMatchObject([{ id: 3, priority: 'normal' }]);
    }
  });

  test.each([
    ['a frame longer than the message', [10, 5, 8, 1]],
    ['a field longer than its frame', [10, 2, 50, 4, 10, 2, 8, 1]],
    ['a text longer than the message', [10, 4, 18, 100, 97, 97]],
    ['a length without an end', [10, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]],
    ['a frame that ends within a number', [10, 2, 8, 128]],
    ['a wire type that there is none of', [15, 1]],
    ['a group without an end', [10, 2, 251, 1]],
  ])('do not decode from %s', (_what, bytes) => {
    expect(() => decodeClientFrames(Buffer.from(bytes))).toThrow(Error);
  });

  test('with groups in groups without end throw, too', () => {
    const deep = Buffer.alloc(1_000_000, (6 << 3) | 3);
    const message = protobuf.Writer.create().uint32(10).bytes(deep).finish();
    expect(() => decodeClientFrames(Buffer.from(message))).toThrow(Error);
  });

  test('that were changed on their way decode or throw, and what decodes lies within the message', () => {
    const change = fc.record({
      at: fc.nat(),
      how: fc.constantFrom('flip', 'set', 'insert', 'delete', 'cut', 'repeat'),
      byte: fc.nat(255),
    });
    fc.assert(
      fc.property(frames, fc.array(change, { minLength: 1, maxLength: 4 }), (frames, changes) => {
        let bytes: Buffer = encoded(frames);
        for (const { at, how, byte } of changes) {
          bytes = changed(bytes, at % (bytes.length + 1), how, byte);
        }
        let decoded;
        try {
          decoded = decodeClientFrames(bytes);
        } catch (thrown) {
          return thrown instanceof Error;
        }
        const total = decoded.reduce((sum, { request }) => sum + request.length, 0);
        return total <= bytes.length;
      }),
      { numRuns: 3_000 },
    );
  });

  test('that are noise decode or throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        try {
          return decodeClientFrames(Buffer.from(noise)).length <= noise.length;
        } catch (thrown) {
          return thrown instanceof Error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

function changed(bytes: Buffer, at: number, how: string, byte: number): Buffer {
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  const here = after[0] ?? 0;
  switch (how) {
    case 'flip':
      return Buffer.concat([before, Buffer.of(here ^ (1 << (byte % 8))), after.subarray(1)]);
    case 'set':
      return Buffer.concat([before, Buffer.of(byte), after.subarray(1)]);
    case 'insert':
      return Buffer.concat([before, Buffer.of(byte), after]);
    case 'delete':
      return Buffer.concat([before, after.subarray(1)]);
    case 'cut':
      return before;
    default:
      return Buffer.concat([before, after, after]);
  }
}

describe('frames of the sidecar', () => {
  const responses = serverFrame.oneofs['response']?.fieldsArray ?? [];
  const answer = fc.constantFrom(...responses).chain((field) =>
    fc.record({
      id: fc.oneof(fc.constant(0), fc.nat(0xffff_ffff)),
      more: fc.boolean(),
      field: fc.constant(field),
      response: anyMessage(typeOf(field), 2),
    }),
  );

  test('are read by a stock library as what was sent', () => {
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 6 }), (answers) => {
        const sent = answers.map(({ id, more, field, response }): ServerFrame => ({
          id,
          more,
          field: field.id,
          response: typeOf(field).encode(typeOf(field).fromObject(response)).finish(),
        }));
        const bytes = encodeServerFrames(sent);
        const received = serverFrames.toObject(serverFrames.decode(bytes), { arrays: true });
        expect(received['frames'] as Plain[]).toMatchObject(
          answers.map(({ id, more, field, response }) => ({
            ...(id === 0 ? {} : { id }),
            ...(more ? { more } : {}),
            [field.name]: plain(typeOf(field), response),
          })),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('take exactly the bytes that a stock library would give them', () => {
    const response = Buffer.alloc(300_000, 1);
    const [info] = responses.filter(({ name }) => name === 'query');
    const frame = { id: 300, more: true, field: info?.id ?? 0, response };
    expect(encodeServerFrames([frame, { ...frame, id: 0, more: false }])).toEqual(
      Buffer.from(
        protobuf.Writer.create()
          .uint32(10)
          .fork()
          .uint32(8)
          .uint32(300)
          .uint32(16)
          .bool(true)
          .uint32(50)
          .bytes(response)
          .ldelim()
          .uint32(10)
          .fork()
          .uint32(50)
          .bytes(response)
          .ldelim()
          .finish(),
      ),
    );
    expect(encodeServerFrames([])).toHaveLength(0);
  });
});

test('a message of more frames than anybody sends is refused before it fills the memory', () => {
  const frames = (count: number): Buffer => Buffer.alloc(2 * count, Buffer.from([0x0a, 0]));
  expect(decodeClientFrames(frames(65_536))).toHaveLength(65_536);
  expect(() => decodeClientFrames(frames(65_537))).toThrow('more than 65536 frames');
});
