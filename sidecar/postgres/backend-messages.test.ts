import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BackendMessages, code, readFields, readInt16, readInt32 } from './backend-messages.ts';
import { bodyAt, errorResponse, int16, int32, message } from './server-messages.test-kit.ts';

interface Seen {
  readonly code: number;
  readonly body: string;
}

/** What comes out when the bytes come in these chunks. */
function read(chunks: readonly Buffer[], mostRowBytes = Infinity): readonly Seen[] {
  const seen: Seen[] = [];
  const messages = new BackendMessages(
    (code, bytes, start, end) => {
      seen.push({ code, body: bytes.toString('latin1', start, end) });
    },
    () => mostRowBytes,
  );
  for (const chunk of chunks) messages.push(Buffer.from(chunk));
  return seen;
}

const letters = fc.constantFrom('1', '2', 'C', 'D', 'E', 'T', 'Z', 'S');
const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.nat(20_000).map((length) => Buffer.alloc(length, 'x')),
);
const sent = fc.array(fc.tuple(letters, bodies), { maxLength: 12 });

/** The bytes, cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length];
  const sorted = at.toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

test('however the bytes are cut on their way, the same messages come out', () => {
  const places = fc.oneof(
    fc.array(fc.nat(), { maxLength: 20 }),
    fc.array(fc.nat(60), { maxLength: 60 }), // within headers
  );
  fc.assert(
    fc.property(sent, places, (sent, places) => {
      const bytes = Buffer.concat(sent.map(([letter, body]) => message(letter, body)));
      const expected = sent.map(([letter, body]) => ({
        code: letter.charCodeAt(0),
        body: body.toString('latin1'),
      }));
      expect(read(cut(bytes, places))).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test('a message comes out with its last byte, and not before', () => {
  const bytes = message('D', Buffer.alloc(500_000, 'y'));
  expect(read([bytes.subarray(0, -1)])).toEqual([]);
  const byteAfter = [bytes.subarray(0, -1), bytes.subarray(-1)];
  expect(read(byteAfter)).toEqual([{ code: code.dataRow, body: 'y'.repeat(500_000) }]);
  const small = message('Z', Buffer.from('I'));
  expect(read([...byteAfter, small.subarray(0, 3), small.subarray(3)])).toHaveLength(2);
});

test.each([-1, 0, 3, -0x8000_0000])(
  'a length of %i, which no message has, ends the reading: it is told once, and nothing after it is read',
  (length) => {
    const broken = Buffer.concat([Buffer.from('D'), int32(length), Buffer.alloc(100)]);
    const good = message('Z', Buffer.from('I'));
    const expected = [
      { code: code.readyForQuery, body: 'I' },
      { code: code.malformed, body: '' },
    ];
    expect(read([good, broken, good])).toEqual(expected);
    expect(read([Buffer.concat([good, broken, good]), good])).toEqual(expected);
    expect(read([good, broken.subarray(0, 3), broken.subarray(3), good])).toEqual(expected);
  },
);

test('a row over the limit is told once and left out, unless it came whole; everything else comes as ever', () => {
  const most = 1_000;
  fc.assert(
    fc.property(sent, fc.array(fc.nat(), { maxLength: 20 }), (sent, places) => {
      const bytes = Buffer.concat(sent.map(([letter, body]) => message(letter, body)));
      const seen = read(cut(bytes, places), most);
      const expected = sent.map(([letter, body], at) => {
        const leftOut = letter === 'D' && body.length + 5 > most && seen[at]?.body === '';
        return leftOut
          ? { code: code.oversizedRow, body: '' }
          : { code: letter.charCodeAt(0), body: body.toString('latin1') };
      });
      expect(seen).toEqual(expected);
    }),
    { numRuns: 300 },
  );
  const large = message('D', Buffer.alloc(5_000, 'z'));
  expect(read([large], most)).toEqual([{ code: code.dataRow, body: 'z'.repeat(5_000) }]);
  const oversized = { code: code.oversizedRow, body: '' };
  expect(read([large.subarray(0, 3), large.subarray(3, 5), large.subarray(5)], most)).toEqual([
    oversized,
  ]);
  expect(read([large.subarray(0, 4_000)], most)).toEqual([oversized]);
});

test('garbage comes to an end', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (chunks) => {
      const most = chunks.reduce((bytes, chunk) => bytes + chunk.length, 0);
      expect(read(chunks.map((chunk) => Buffer.from(chunk))).length).toBeLessThanOrEqual(most);
    }),
    { numRuns: 500 },
  );
});

test('integers are read as the server writes them', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.integer(), (short, long) => {
      expect(readInt16(int16(short), 0)).toBe(short);
      expect(readInt32(int32(long), 0)).toBe(long);
    }),
  );
});

test('the fields of an error are read by their letters', () => {
  const fields = { S: 'ERROR', C: '23505', M: 'Schlüssel „x“ ist doppelt', n: 'items_pkey', D: '' };
  const bytes = errorResponse(fields);
  expect(readFields(bytes, bodyAt, bytes.length)).toEqual(fields);
  const empty = message('N', Buffer.of(0));
  expect(readFields(empty, bodyAt, empty.length)).toEqual({});
});
