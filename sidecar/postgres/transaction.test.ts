import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { Call } from '../../platform/call.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { TestClock } from '../../platform/test-clock.ts';
import { Connection } from './connection.ts';
import { makeLoan } from './pool-loan.ts';
import { profileOf } from './statement-profile.ts';
import { Transaction } from './transaction.ts';

/** What a real server does only as a standby, or not at all: a socket that gives one answer for each write. */
function scripted(...answers: readonly Buffer[]): Duplex {
  const left = [...answers];
  const socket: Duplex = new Duplex({
    read: () => {},
    write: (_bytes, _encoding, done) => {
      const answer = left.shift();
      if (answer !== undefined) socket.push(answer);
      done();
    },
  });
  return socket;
}

function message(code: string, body: string): Buffer {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.write(code, 0, 'latin1');
  bytes.writeInt32BE(4 + body.length, 1);
  bytes.write(body, 5, 'latin1');
  return bytes;
}
const complete = (tag: string): Buffer =>
  Buffer.concat([message('1', ''), message('2', ''), message('n', ''), message('C', `${tag}\0`)]);
const ready = (status: string): Buffer => message('Z', status);
const begun = Buffer.concat([complete('BEGIN'), complete('SELECT 0'), ready('T')]);

function open(...answers: readonly Buffer[]) {
  const clock = new TestClock();
  const aborted: HoldfastError[] = [];
  const givenBack: boolean[] = [];
  const connection = new Connection({
    socket: scripted(...answers),
    clock,
    pool: 'orders',
    preparedStatements: true,
    statementTimeoutMs: 30_000,
    requestCancel: () => Promise.resolve(),
  });
  connection.introduced = true;
  const call = new Call({
    scope: { onClose: () => () => {}, push: () => {}, room: () => undefined },
    deadlineAtMs: Infinity,
  });
  const transaction = new Transaction(
    {
      name: 'orders',
      clock,
      maxResultBytes: 1_000,
      borrow: () => Promise.resolve(makeLoan(connection, (dirty) => givenBack.push(dirty))),
      step: ({ sql, params }) => ({ profile: profileOf(sql), params }),
      observe: () => {},
      hasEvents: () => {},
      outcome: async () => 'unknown',
    },
    {
      isolation: 'default',
      readOnly: false,
      deferrable: false,
      timeoutMs: 60_000,
      idleTimeoutMs: 60_000,
      onAborted: (reason) => aborted.push(reason),
    },
    call,
  );
  const query = () => transaction.query({ sql: 'select 1', params: [] }, call);
  return { clock, connection, transaction, query, aborted, givenBack };
}

const refusal = message('E', 'SERROR\0C0A000\0Mcannot use serializable mode in a hot standby\0\0');

test('a BEGIN that the server refuses ends the transaction, and its statement has not run', async () => {
  const { query, aborted, givenBack } = open(Buffer.concat([refusal, ready('I')]));
  await expect(query()).rejects.toMatchObject({
    message: 'cannot use serializable mode in a hot standby',
  });
  await expect(query()).rejects.toMatchObject({
    message: 'cannot use serializable mode in a hot standby',
  });
  expect(aborted).toHaveLength(1);
  expect(givenBack).toEqual([false]);
});

test('a transaction that is over by the server, though nobody ended it, has an outcome that nobody knows', async () => {
  const { query, aborted } = open(
    Buffer.concat([complete('BEGIN'), complete('SELECT 0'), ready('I')]),
  );
  await query();
  await expect(query()).rejects.toMatchObject({ reason: 'COMMIT_UNKNOWN' });
  expect(aborted).toMatchObject([{ reason: 'COMMIT_UNKNOWN' }]);
});

test('a ROLLBACK without an answer costs its connection', async () => {
  const { clock, connection, transaction, query, givenBack } = open(begun);
  await query();
  const rolledBack = transaction.rollback();
  await clock.advance(4_000);
  expect(connection.usable).toBe(true);
  await clock.advance(2_000);
  await rolledBack;
  expect(connection.usable).toBe(false);
  expect(givenBack).toHaveLength(1);
});
