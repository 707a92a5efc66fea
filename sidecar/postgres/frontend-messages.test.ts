import { Writable } from 'node:stream';
import fc from 'fast-check';
import pg from 'pg';
import { expect, test } from 'vitest';
import { FrontendMessages, type Parameter } from './frontend-messages.ts';

/** A message taken apart, the way its meaning is written in the protocol: parameters with their formats. */
type Read = readonly [code: string, ...fields: unknown[]];

function readAll(bytes: Buffer): readonly Read[] {
  const all: Read[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    if (end > bytes.length) throw new Error('a message is longer than what was sent');
    all.push([
      String.fromCharCode(bytes[at] as number),
      ...readBody(bytes[at] as number, bytes.subarray(at + 5, end)),
    ]);
    at = end;
  }
  return all;
}

function readBody(code: number, body: Buffer): readonly unknown[] {
  let at = 0;
  const bytes = (length: number): Buffer => body.subarray(at, (at += length));
  const int16 = (): number => bytes(2).readUInt16BE();
  const int32 = (): number => bytes(4).readInt32BE();
  const text = (): string => {
    const stop = body.indexOf(0, at);
    return [bytes(stop - at).toString(), bytes(1)][0] as string;
  };
  const many = <T>(read: () => T): T[] => Array.from({ length: int16() }, read);
  const fields = ((): readonly unknown[] => {
    switch (String.fromCharCode(code)) {
      case 'P':
        return [text(), text(), many(int32)];
      case 'B': {
        const names = [text(), text()];
        const formats = many(int16);
        const values = many(() => {
          const length = int32();
          return length === -1 ? null : bytes(length).toString('latin1');
        });
        const format = (at: number): number => formats[formats.length === 1 ? 0 : at] ?? 0;
        const params = values.map((value, at) => (value === null ? null : [format(at), value]));
        // All results in text is what no format at all means, too.
        return [...names, params, many(int16).every((resultFormat) => resultFormat === 0)];
      }
      case 'E':
        return [text(), int32()];
      case 'D':
      case 'C':
        return [bytes(1).toString(), text()];
      case 'f':
        return [text()];
      default:
        return [];
    }
  })();
  if (at !== body.length) throw new Error('a message has bytes after its end');
  return fields;
}

/** What node-postgres sends for the same. */
function nodePostgres(send: (wire: pg.Connection) => void): Buffer {
  const written: Buffer[] = [];
  const stream = new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      written.push(bytes);
      done();
    },
  });
  send(new pg.Connection({ stream } as object));
  return Buffer.concat(written);
}

const sql = fc.string({ unit: 'binary', maxLength: 300 }).map((any) => any.replaceAll('\0', ''));
const name = fc.string({ unit: 'grapheme-ascii', maxLength: 10 });
const param: fc.Arbitrary<Parameter> = fc.oneof(
  fc.constant(null),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  fc.nat(100_000).map((length) => '€'.repeat(length)),
);
const params = fc.oneof(
  fc.array(param, { maxLength: 10 }),
  fc.array(fc.oneof(fc.constant(null), fc.string()), { maxLength: 10 }),
);

test('a statement and its parameters arrive as those of node-postgres', () => {
  fc.assert(
    fc.property(name, sql, params, (name, sql, params) => {
      const out = new FrontendMessages();
      out.parse(name, sql);
      out.bind(name, params);
      out.describePortal();
      out.execute();
      out.closeStatement(name);
      out.sync();
      const theirs = nodePostgres((wire) => {
        wire.parse({ name, text: sql, types: [] }, true);
        wire.bind({ portal: '', statement: name, values: [...params] }, true);
        wire.describe({ type: 'P', name: '' }, true);
        wire.execute({ portal: '', rows: '' }, true);
        wire.close({ type: 'S', name }, true);
        wire.sync();
      });
      expect(readAll(out.take())).toEqual(readAll(theirs));
    }),
    { numRuns: 300 },
  );
});

test.each([
  [
    'Parse',
    (out: FrontendMessages) => out.parse('h1', 'select $1'),
    { name: 'h1', text: 'select $1' },
  ],
  ['Parse', (out: FrontendMessages) => out.parse('', 'select 1'), { name: '', text: 'select 1' }],
])('%s is the same, byte for byte', (_name, write, config) => {
  const out = new FrontendMessages();
  write(out);
  expect(out.take()).toEqual(nodePostgres((wire) => wire.parse({ ...config, types: [] }, true)));
});

test('Execute, Sync and Terminate are the same, byte for byte', () => {
  const out = new FrontendMessages();
  out.execute();
  out.sync();
  expect(out.take()).toEqual(
    nodePostgres((wire) => {
      wire.execute(null, true);
      wire.sync();
    }),
  );
  out.terminate();
  expect(out.take()).toEqual(Buffer.from([0x58, 0, 0, 0, 4]));
  out.copyFail();
  expect(readAll(out.take())).toEqual([['f', '']]);
});

test('the most parameters that a statement can have arrive', () => {
  const params = Array.from({ length: 65_535 }, (_, at) => (at % 3 === 0 ? null : `${at}`));
  const out = new FrontendMessages();
  out.bind('', params);
  const [[, , , read] = []] = readAll(out.take());
  expect(read).toEqual(params.map((param) => (param === null ? null : [0, param])));
});

test('what was taken stays as it is while more is written, and nothing is taken twice', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.nat(70_000), { maxLength: 5 }), { maxLength: 8 }), (turns) => {
      const out = new FrontendMessages();
      const taken: Buffer[] = [];
      for (const lengths of turns) {
        for (const length of lengths) out.parse('', 'x'.repeat(length));
        expect(out.pending).toBe(lengths.length > 0);
        taken.push(out.take());
        expect(out.pending).toBe(false);
      }
      const expected = turns.flat().map((length) => ['P', '', 'x'.repeat(length), []]);
      expect(readAll(Buffer.concat(taken))).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});

test('the room for a large parameter is not kept once it is taken', () => {
  const out = new FrontendMessages();
  out.bind('', ['x'.repeat(1_000_000)]);
  const large = out.take();
  expect(out.pending).toBe(false);
  out.sync();
  const small = out.take();
  expect(small.buffer).not.toBe(large.buffer);
  expect(readAll(small)).toEqual([['S']]);
});
