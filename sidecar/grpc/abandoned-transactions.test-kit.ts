import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Begin } from '../../platform/gen/holdfast/v1/Begin.ts';
import type { ClientFrame } from '../../platform/gen/holdfast/v1/ClientFrame.ts';
import type { RawSession } from './raw-session.test-kit.ts';
import type { StockTransaction } from './stock-client.test-kit.ts';
import type { TestBed } from './test-bed.test-kit.ts';

const query = { sql: 'insert into items values (1)' };
const slow = { sql: 'insert into items select 1 from pg_sleep(60)' };
const program = fileURLToPath(new URL('killed-client.test-kit.ts', import.meta.url));

/** Opens so many transactions in one session, each with a row that must never be seen. */
async function inSession(bed: TestBed, count: number, begin: Begin = {}): Promise<RawSession> {
  const session = await bed.session();
  const frames: ClientFrame[] = [];
  for (let id = 1; id <= count; id += 1) {
    frames.push({ id, transactionId: id, begin }, { id: id + count, transactionId: id, query });
  }
  session.send(...frames);
  for (const { failure } of await session.answers(...frames.map(({ id = 0 }) => id))) {
    if (failure !== undefined) throw new Error(failure.message);
  }
  return session;
}

/** The same as streams of Database.Transaction. */
async function asStreams(
  bed: TestBed,
  count: number,
  options: { deadline?: number } = {},
): Promise<StockTransaction[]> {
  const stock = bed.stock();
  return Promise.all(
    Array.from({ length: count }, async () => {
      const transaction = stock.transaction(options);
      await transaction.ask({ begin: {} });
      await transaction.ask({ query });
      return transaction;
    }),
  );
}

const withSlowStatement = (session: RawSession, count: number): void => {
  for (let id = 1; id <= count; id += 1) {
    session.send({ id: id + 2 * count, transactionId: id, query: slow });
  }
};

/** Every way in which an app can leave transactions behind. Each opens `count` of them and abandons them all. */
export const waysToAbandon: Readonly<
  Record<string, (bed: TestBed, count: number) => Promise<void>>
> = {
  'its connection closes': async (bed, count) => {
    (await inSession(bed, count)).close();
  },
  'its connection closes under a statement': async (bed, count) => {
    const session = await inSession(bed, count);
    withSlowStatement(session, count);
    await sleep(30);
    session.close();
  },
  'its session is cancelled': async (bed, count) => {
    (await inSession(bed, count)).cancel();
  },
  'it forgets them and closes its half': async (bed, count) => {
    const session = await inSession(bed, count);
    session.halfClose();
    await session.ended;
  },
  'it breaks a rule of the session': async (bed, count) => {
    const session = await inSession(bed, count);
    session.sendBytes(Buffer.from([0xff]));
    await session.ended;
  },
  'it sends a message that is too large': async (bed, count) => {
    const session = await inSession(bed, count);
    session.sendBytes(Buffer.alloc(65 * 1024 * 1024));
    await session.ended;
  },
  'it leaves them idle': async (bed, count) => {
    const session = await inSession(bed, count, { idleTimeoutMs: 30 });
    for (let id = 1; id <= count; id += 1) await session.transactionEnded(id);
  },
  'they take too long': async (bed, count) => {
    const session = await inSession(bed, count, { timeoutMs: 300 });
    withSlowStatement(session, count);
    for (let id = 1; id <= count; id += 1) await session.transactionEnded(id);
  },
  'it begins and never waits for an answer': async (bed, count) => {
    const session = await bed.session();
    for (let id = 1; id <= count; id += 1) {
      session.send(
        { id, transactionId: id, begin: {} },
        { id: id + count, transactionId: id, query },
      );
    }
    session.cancel();
  },
  'a stream is cancelled': async (bed, count) => {
    for (const transaction of await asStreams(bed, count)) transaction.cancel();
  },
  'a stream is cancelled under a statement': async (bed, count) => {
    const transactions = await asStreams(bed, count);
    for (const transaction of transactions) transaction.send({ query: slow });
    await sleep(30);
    for (const transaction of transactions) transaction.cancel();
  },
  'a stream ends without a word': async (bed, count) => {
    for (const transaction of await asStreams(bed, count)) {
      transaction.halfClose();
      await transaction.ended;
    }
  },
  'the deadline of a stream passes': async (bed, count) => {
    const transactions = await asStreams(bed, count, { deadline: Date.now() + 500 });
    for (const transaction of transactions) transaction.send({ query: slow });
    for (const { ended } of transactions) await ended;
  },
  'the app is killed': async (bed, count) => {
    const app = spawn(process.execPath, [program, bed.sidecar.address, String(count)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(app.stdout, 'data');
    const gone = once(app, 'exit');
    app.kill('SIGKILL');
    await gone;
  },
};
