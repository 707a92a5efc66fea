import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { encodeMessage, messageType } from './contract.ts';
import { text } from './messages.test-kit.ts';
import { readUpstream, readUpstreamPart, writeUpstream } from './upstream-messages.ts';

const headers = fc.array(fc.tuple(text, text), { maxLength: 5 });

test('requests read as the generated codec reads them', () => {
  const request = fc.record({
    target: text,
    method: text,
    path: text,
    headers,
    body: fc.uint8Array(),
    idempotent: fc.boolean(),
    cost: fc.option(fc.double({ noNaN: true }), { nil: undefined }),
    costKey: text,
    costHeader: text,
  });
  const type = messageType('holdfast.v1.UpstreamRequest');
  fc.assert(
    fc.property(request, (request) => {
      const writer = new ByteWriter();
      writeUpstream(writer, request);
      const decoded = type.toObject(type.decode(writer.take()), { bytes: Buffer, defaults: true });
      expect(decoded).toEqual({
        ...request,
        headers: request.headers.map(([name, value]) => ({ name, value })),
        body: Buffer.from(request.body),
      });
    }),
    { numRuns: 200 },
  );
});

test('a body of text is UTF-8, and a cost of nothing is sent', () => {
  const writer = new ByteWriter();
  const empty = { target: '', method: '', path: '', headers: [], costKey: '', costHeader: '' };
  writeUpstream(writer, { ...empty, body: 'ä', idempotent: false, cost: 0 });
  const type = messageType('holdfast.v1.UpstreamRequest');
  expect(type.toObject(type.decode(writer.take()), { bytes: Buffer })).toEqual({
    body: Buffer.from('ä'),
    cost: 0,
  });
});

const response = fc.record({
  status: fc.integer({ min: 200, max: 599 }),
  headers,
  body: fc.uint8Array(),
  attempts: fc.nat(10),
  source: fc.constantFrom('target', 'static', 'stale', 'other-upstream'),
});

type Response = typeof response extends fc.Arbitrary<infer Value> ? Value : never;

/** As the generated codec wants it. */
const message = ({ headers, source, ...rest }: Response): Record<string, unknown> => ({
  ...rest,
  headers: headers.map(([name, value]) => ({ name, value })),
  source: `ANSWER_SOURCE_${source.toUpperCase().replace('-', '_')}`,
});

const expected = (response: Response): object => ({
  ...response,
  body: Buffer.from(response.body),
});

test('answers that the generated codec wrote', () => {
  fc.assert(
    fc.property(response, (response) => {
      const bytes = Buffer.from(encodeMessage('holdfast.v1.UpstreamResponse', message(response)));
      expect(readUpstream(new ByteReader(bytes), bytes.length)).toEqual(expected(response));
    }),
    { numRuns: 200 },
  );
});

test('parts that the generated codec wrote', () => {
  const part = (fields: Record<string, unknown>): Buffer =>
    Buffer.from(encodeMessage('holdfast.v1.UpstreamPart', fields));
  fc.assert(
    fc.property(response, (response) => {
      expect(readUpstreamPart(part({ head: message(response) }))).toEqual({
        head: expected(response),
      });
      expect(readUpstreamPart(part({ chunk: response.body }))).toEqual({
        chunk: Buffer.from(response.body),
      });
    }),
    { numRuns: 100 },
  );
  // A part of a later version.
  expect(readUpstreamPart(Buffer.from([0x1a, 0x01, 0x00]))).toEqual({});
});

test('an answer that ends too early is told', () => {
  const bytes = Buffer.from([0x1a, 0x05, 0x00]);
  expect(() => readUpstream(new ByteReader(bytes), bytes.length)).toThrow('too early');
});
