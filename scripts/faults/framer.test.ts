import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Framer, maxHeldBytes, type Framing, type Piece } from './framer.ts';
import { postgresFraming } from './postgres-framing.ts';
import { redisCommands, redisReplies } from './redis-framing.ts';

const message = (type: string, body: string | Buffer): Buffer => {
  const bytes = Buffer.concat([Buffer.from(type), Buffer.alloc(4), Buffer.from(body)]);
  bytes.writeInt32BE(bytes.length - type.length, type.length);
  return bytes;
};
const opening = (code: number, rest = ''): Buffer => {
  const bytes = Buffer.concat([Buffer.alloc(8), Buffer.from(rest)]);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeInt32BE(code, 4);
  return bytes;
};
const sslRequest = opening(80877103);
const startup = opening(196608, 'user\0me\0\0');

/** The bytes in chunks that end at these shares of the whole. */
function chunks(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length].toSorted(
    (one, other) => one - other,
  );
  return at.map((end, index) => bytes.subarray(at[index - 1] ?? 0, end));
}
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

const through = (framing: Framing, parts: readonly Buffer[]): Piece[] => {
  const framer = new Framer(framing);
  return [...parts.flatMap((part) => [...framer.push(part)]), ...framer.rest()];
};
const bytesOf = (pieces: readonly Piece[]): Buffer[] => pieces.map(({ bytes }) => bytes);
const names = (framing: Framing, bytes: Buffer): string[] =>
  Array.from(new Framer(framing).push(bytes), ({ name }) => {
    const { type, text } = name?.() ?? { type: '-', text: '' };
    return text === '' ? type : `${type} ${text}`;
  });

const expectWhole = (framing: () => Framing, messages: readonly Buffer[], at: number[]): void => {
  const pieces = through(framing(), chunks(Buffer.concat(messages), at));
  expect(bytesOf(pieces)).toEqual(messages);
  expect(pieces.every(({ last, name }) => last && name !== undefined)).toBe(true);
};

describe('PostgreSQL', () => {
  const body = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));
  const letters = fc.constantFrom(...Array.from('BCDEFHPQSXdcp'));

  test('messages stay whole however their bytes are spread', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(letters, body), { maxLength: 20 }), cuts, (all, at) => {
        const said = all.map(([type, rest]) => message(type, rest));
        expectWhole(() => postgresFraming().client, [startup, ...said], at);
        expectWhole(() => postgresFraming().server, said, at);
      }),
    );
  });

  test('what a client says has its SQL', () => {
    const parse = message('P', 's1\0select 1\0\0\0');
    const bind = message('B', 'p1\0s1\0\0\0\0\0\0\0');
    const execute = message('E', 'p1\0\0\0\0\0');
    const closed = message('C', 'Ss1\0');
    const all = [startup, message('Q', 'begin\0'), parse, bind, execute, message('S', '')];
    expect(names(postgresFraming().client, Buffer.concat([...all, closed, bind]))).toEqual([
      'StartupMessage',
      'Query begin',
      'Parse select 1',
      'Bind select 1',
      'Execute select 1',
      'Sync',
      'Close',
      'Bind',
    ]);
  });

  test('what a server says has its tag, state or error', () => {
    const error = message('E', 'SERROR\0C40001\0Mtry again\0\0');
    const all = [message('C', 'INSERT 0 1\0'), message('Z', 'I'), error, message('D', '12')];
    expect(names(postgresFraming().server, Buffer.concat(all))).toEqual([
      'CommandComplete INSERT 0 1',
      'ReadyForQuery I',
      'ErrorResponse 40001 try again',
      'DataRow',
    ]);
  });

  test('a cancel request names its process', () => {
    expect(names(postgresFraming().client, opening(80877102, '\0\0\0\x2a\0\0\0\0'))).toEqual([
      'CancelRequest 42',
    ]);
  });

  test('a refused SSLRequest is followed by a startup; an answer S makes the rest opaque', () => {
    const refused = postgresFraming();
    expect(names(refused.client, sslRequest)).toEqual(['SSLRequest']);
    expect(names(refused.server, Buffer.from('N'))).toEqual(['EncryptionResponse N']);
    expect(names(refused.client, startup)).toEqual(['StartupMessage']);
    expect(names(refused.server, message('Z', 'I'))).toEqual(['ReadyForQuery I']);

    const taken = postgresFraming();
    expect(names(taken.client, sslRequest)).toEqual(['SSLRequest']);
    expect(names(taken.server, Buffer.from('S'))).toEqual(['EncryptionResponse S']);
    expect(names(taken.client, Buffer.from('anything'))).toEqual(['-']);
    expect(names(taken.server, Buffer.from('Zanything'))).toEqual(['-']);
  });

  test('TLS without asking, and garbage, are passed on as they come', () => {
    const direct = postgresFraming();
    expect(names(direct.client, Buffer.from('160301ffffff', 'hex'))).toEqual(['-']);
    expect(names(direct.server, Buffer.from('160303007a02', 'hex'))).toEqual(['-']);
    expect(names(postgresFraming().client, Buffer.from('GET / HTTP/1.1\r\n'))).toEqual(['-']);
  });

  test('a huge message goes on as it comes and is asked about once', () => {
    const huge = message('D', Buffer.alloc(3 * maxHeldBytes, 7));
    const said = Buffer.concat([huge, message('Z', 'I')]);
    const pieces = through(
      postgresFraming().server,
      Array.from({ length: 100 }, (_, index) =>
        said.subarray((index * said.length) / 100, ((index + 1) * said.length) / 100),
      ),
    );
    expect(Buffer.concat(bytesOf(pieces)).equals(said)).toBe(true);
    expect(pieces.length).toBeGreaterThan(50);
    expect(pieces.filter(({ name }) => name !== undefined)).toHaveLength(2);
    expect(pieces.filter(({ last }) => last)).toHaveLength(2);
  });
});

describe('Redis', () => {
  const word = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes));
  const bulk = word.map((bytes) =>
    Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]),
  );
  const list = (kind: string, items: Buffer[], size = items.length): Buffer =>
    Buffer.concat([Buffer.from(`${kind}${size}\r\n`), ...items]);
  const command = fc.array(bulk, { minLength: 1, maxLength: 6 }).map((items) => list('*', items));
  const flat = fc.oneof(
    bulk,
    fc
      .constantFrom('+OK', '-ERR no', ':42', '$-1', '*-1', '_', '#t', ',1.5', '(9', '*0')
      .map((line) => Buffer.from(`${line}\r\n`)),
  );
  const { reply } = fc.letrec<{ reply: Buffer }>((tie) => ({
    reply: fc.oneof(
      { depthSize: 'small' },
      flat,
      fc.array(tie('reply'), { maxLength: 4 }).map((items) => list('*', items)),
      fc
        .array(fc.tuple(tie('reply'), tie('reply')), { maxLength: 3 })
        .map((entries) => list('%', entries.flat(), entries.length)),
      tie('reply').map((item) => Buffer.concat([Buffer.from('|1\r\n+ttl\r\n:1\r\n'), item])),
    ),
  }));

  test('commands stay whole however their bytes are spread', () => {
    const line = fc.constant(Buffer.from('PING now\r\n'));
    fc.assert(
      fc.property(fc.array(fc.oneof(command, line), { maxLength: 10 }), cuts, (all, at) =>
        expectWhole(redisCommands, all, at),
      ),
    );
  });

  test('replies stay whole however their bytes are spread', () => {
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 10 }), cuts, (all, at) =>
        expectWhole(redisReplies, all, at),
      ),
    );
  });

  test('commands have their name and arguments, replies their kind and leaves', () => {
    const set = '*3\r\n$3\r\nset\r\n$1\r\nk\r\n$3\r\na b\r\n';
    expect(names(redisCommands(), Buffer.from(`${set}ping  x\r\n`))).toEqual([
      'SET k a b',
      'PING x',
    ]);
    const message = '*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$2\r\nhi\r\n';
    expect(names(redisReplies(), Buffer.from(`${message}-ERR no\r\n:7\r\n$-1\r\n`))).toEqual([
      'array message ch hi',
      'error ERR no',
      'integer 7',
      'bulk',
    ]);
  });

  test('a text is at most 200 characters', () => {
    const said = Buffer.from(`*2\r\n$4\r\nECHO\r\n$300\r\n${'x'.repeat(300)}\r\n`);
    expect(names(redisCommands(), said)).toEqual([`ECHO ${'x'.repeat(200)}`]);
  });

  test('what is no reply is passed on as it comes', () => {
    expect(names(redisReplies(), Buffer.from('HTTP/1.1 400\r\n'))).toEqual(['-']);
    expect(names(redisReplies(), Buffer.from('*x\r\n'))).toEqual(['-']);
  });
});
