import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SidecarMessage } from '../../platform/gen/holdfast/control/v1/SidecarMessage.ts';
import { systemClock } from '../../platform/clock.ts';
import { startTestBed, type TestBed } from './discovery.test-kit.ts';
import { encodeMessage, type SidecarClient } from './sidecar-client.test-kit.ts';

const most = 2 ** 32 - 1;
const largest = '18446744073709551615';
const long = 'x'.repeat(100_000);
const many = <T>(count: number, each: T): T[] => Array.from({ length: count }, () => each);
const fault = { policy: long, field: long, message: long };

/** The server must be well after each of these, and the stream go on. */
const odd: Readonly<Record<string, SidecarMessage | Buffer>> = {
  'an empty message': Buffer.alloc(0),
  'a field that nobody knows': Buffer.from([0xa2, 0x06, 0x01, 0x61]),
  'an empty report': { report: {} },
  'a report of a version that was never sent': { report: { version: 'nobody' } },
  'a report with a long version': { report: { version: long } },
  'a report with many long faults': { report: { version: 'v', faults: many(5, fault) } },
  'a report with very many faults': { report: { version: 'v', faults: many(10_000, {}) } },
  'a report that wants many restarts': { report: { version: 'v', restartRequired: many(9, long) } },
  'a report with control characters': { report: { version: '\u0000\n\u001b[31m' } },
  'a report about a prototype': { report: { version: '__proto__' } },
  'a heartbeat with the largest numbers': {
    heartbeat: {
      budget: 'b',
      number: largest,
      epoch: largest,
      answered: largest,
      share: most,
      demand: most,
      waiting: most,
      oldestWaitMs: most,
      refusals: largest,
    },
  },
  'a heartbeat with many ports': { heartbeat: { budget: 'b', ports: many(100_000, 65_535) } },
  'a heartbeat with ports that are none': { heartbeat: { budget: 'b', ports: [0, most] } },
  'a heartbeat with a long address': { heartbeat: { budget: 'b', address: long } },
  'a heartbeat for a prototype': { heartbeat: { budget: '__proto__' } },
  'a heartbeat that goes back': { heartbeat: { budget: 'b', number: 0 } },
  'a large listing': {
    heartbeat: {
      budget: 'b',
      listing: { asked: 1, sessions: many(30_000, { address: '10.0.0.1', port: 1, startedUs: 1 }) },
    },
  },
  'a listing with negative numbers': {
    heartbeat: {
      budget: 'b',
      listing: { asked: 1, roleLimit: -1, sessions: [{ startedUs: '-9223372036854775808' }] },
    },
  },
  'two things in one message': Buffer.concat([
    encodeMessage({ report: { version: 'v' } }),
    encodeMessage({ heartbeat: { budget: 'b' } }),
  ]),
};

/** These end the stream. */
const wrong: Readonly<Record<string, readonly [SidecarMessage | Buffer, RegExp]>> = {
  'a second Hello': [{ hello: { boot: 1 } }, /^INVALID_ARGUMENT: Hello is the first/],
  'a Hello of another boot': [{ hello: { boot: 9 } }, /^INVALID_ARGUMENT: Hello is the first/],
  'a heartbeat of no budget': [{ heartbeat: { number: 1 } }, /^INVALID_ARGUMENT: Heartbeat.budget/],
  'a heartbeat of a long budget': [{ heartbeat: { budget: long } }, /^INVALID_ARGUMENT/],
  'a message of another kind': [Buffer.from('GET / HTTP/1.1\r\n'), /^INVALID_ARGUMENT: a message/],
  'a message that is cut': [
    encodeMessage({ report: { version: 'abcdef' } }).subarray(0, 5),
    /^INVALID_ARGUMENT: a message/,
  ],
  'a text that is no field': [Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff]), /^INVALID_ARGUMENT/],
  'a group that never ends': [Buffer.alloc(1_000, 0x0b), /^INVALID_ARGUMENT/],
  'a varint that never ends': [Buffer.alloc(64, 0xff), /^INVALID_ARGUMENT/],
  'a huge message': [Buffer.alloc(3 * 1024 * 1024), /^RESOURCE_EXHAUSTED/],
};

const send = (client: SidecarClient, message: SidecarMessage | Buffer): void => {
  if (Buffer.isBuffer(message)) client.sendBytes(message);
  else client.send(message);
};

async function expectWell(bed: TestBed, client: SidecarClient): Promise<void> {
  const { length } = client.messages;
  client.send({ heartbeat: { budget: 'well', number: 1 } });
  await client.until(() => client.messages.slice(length).some((m) => m.grant?.budget === 'well'));
  expect(bed.fleet.size).toBeGreaterThan(0);
}

async function startGranting(): Promise<TestBed> {
  const bed = await startTestBed();
  bed.grant = ({ boot }, { budget }) => ({ budget, boot });
  return bed;
}

test('a stream goes on behind what is odd', async () => {
  const bed = await startGranting();
  const client = await bed.join('a');
  for (const message of Object.values(odd)) {
    send(client, message);
    await expectWell(bed, client);
    const { rejected, restartRequired } = bed.fleet.sidecar('uid-a') ?? {};
    expect(rejected?.faults.length ?? 0).toBeLessThanOrEqual(16);
    expect(JSON.stringify([rejected, restartRequired]).length).toBeLessThan(40_000);
  }
  expect(Object.keys(odd).length).toBeGreaterThan(15);
});

test.each(Object.entries(wrong))(
  'a stream ends behind %s, and others go on',
  async (_name, [message, end]) => {
    const bed = await startGranting();
    const other = await bed.join('b');
    const client = await bed.join('a');
    send(client, message);
    expect(await client.status()).toMatch(end);
    await other.until(() => !bed.fleet.connected('uid-a'));
    await expectWell(bed, other);
  },
);

test('bytes at random end their own stream or nothing', async () => {
  const bed = await startGranting();
  const other = await bed.join('b');
  let pod = 0;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
      pod += 1;
      const client = await bed.join(`p${pod}`);
      client.sendBytes(Buffer.from(bytes));
      client.send({ report: { version: 'after' } });
      let status = '';
      void client.status().then((ended) => (status = ended));
      await client.until(() => status !== '' || bed.fleet.applied(`uid-p${pod}`) === 'after');
      expect(status === '' || status.startsWith('INVALID_ARGUMENT')).toBe(true);
      client.close();
    }),
    { numRuns: 100 },
  );
  await expectWell(bed, other);
}, 20_000);

test('a sidecar that talks without end is stopped, with what it left in memory', async () => {
  const bed = await startGranting();
  const client = await bed.join('a');
  for (let at = 0; at < 1_100; at += 1) {
    client.send({ heartbeat: { budget: `b${at}`, number: at } });
  }
  expect(await client.status()).toBe('RESOURCE_EXHAUSTED: more than 1000 messages in 10 s');
  await systemClock.sleep(0);
  expect(bed.changes.at(-1)?.sidecar.demands.size).toBe(16);
});
