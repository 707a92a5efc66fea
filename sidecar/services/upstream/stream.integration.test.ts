import { expect, test } from 'vitest';
import { deadlineExceeded } from '../../../platform/call.ts';
import { aCall, cancel, later, quickRetry, rejection, serve } from './upstream.test-kit.ts';

const protocols = [
  ['HTTP/1.1', undefined],
  ['HTTP/2', 'h2'],
] as const;

const tls = { mode: 'Require' };

/** Fields of the upstream for a server of that protocol. */
const toBe = (protocol: 'h2' | undefined): object => (protocol === undefined ? {} : { tls });

test.each(protocols)('over %s an answer comes in parts, and whole', async (_name, protocol) => {
  const text = Buffer.alloc(3_000_000, 'abcdefghij');
  await using it = await serve(
    (response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.end(text);
    },
    {},
    toBe(protocol),
    { tls: protocol },
  );
  let parts = 0;
  const answer = await it.bed.stream('api', {}, { onChunk: () => void (parts += 1) });
  expect(answer).toMatchObject({ status: 200, attempts: 1, source: 'target' });
  expect(answer.headers).toMatchObject({ 'content-type': 'text/plain' });
  expect(Buffer.from(answer.body).equals(text)).toBe(true);
  expect(parts).toBeGreaterThan(3);
});

test.each(protocols)(
  'over %s server-sent events are passed on at once',
  async (_name, protocol) => {
    await using it = await serve(
      async (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (let nth = 0; nth < 5; nth += 1) {
          response.write(`data: ${performance.now()}\n\n`);
          await later(50);
        }
        response.end();
      },
      {},
      toBe(protocol),
      { tls: protocol },
    );
    const lateMs: number[] = [];
    await it.bed.stream(
      'api',
      {},
      {
        onChunk: (chunk) => void lateMs.push(performance.now() - Number(chunk.toString().slice(6))),
      },
    );
    expect(lateMs).toHaveLength(5);
    expect(lateMs.toSorted((a, b) => a - b)[2]).toBeLessThan(25);
  },
);

test.each(protocols)(
  'over %s a caller that does not read stops the server, in little memory',
  async (_name, protocol) => {
    let written = 0;
    await using it = await serve(
      async (response) => {
        response.writeHead(200);
        const piece = Buffer.alloc(64 * 1024);
        for (let nth = 0; nth < 800; nth += 1) {
          const goOn = response.write(piece);
          written += piece.length;
          if (!goOn) await new Promise<void>((resolve) => response.once('drain', resolve));
        }
        response.end();
      },
      {},
      // What stops is the reader: that is no silence of the server.
      { ...toBe(protocol), idleTimeoutMs: 300 },
      { tls: protocol },
    );
    let read = 0;
    let whenStopped = 0;
    await it.bed.stream(
      'api',
      {},
      {
        onChunk: async (chunk) => {
          const first = read === 0;
          read += chunk.length;
          if (!first) return;
          await later(500);
          const before = written;
          await later(400);
          whenStopped = written;
          expect(written).toBe(before);
        },
      },
    );
    // The buffers of both ends and of two sockets of the system.
    expect(whenStopped).toBeLessThan(12 * 1024 * 1024);
    expect(read).toBe(800 * 64 * 1024);
  },
);

test.each(protocols)(
  'over %s a caller that leaves is seen by the server, and so is one whose deadline passes',
  async (_name, protocol) => {
    await using it = await serve(
      (response) => {
        response.writeHead(200);
        response.write('first');
      },
      {},
      toBe(protocol),
      { tls: protocol },
    );
    for (const [nth, end] of [cancel, passDeadline].entries()) {
      const call = aCall();
      const failed = rejection(it.bed.stream('api', {}, { call, onChunk: () => end(call) }));
      expect(await failed).toBe(call.ended);
      await expect.poll(() => it.server.brokenOff()).toBe(nth + 1);
    }
  },
);

const passDeadline = (call: ReturnType<typeof aCall>): void => call.end(deadlineExceeded());

test.each(protocols)(
  'over %s a break in the middle: what came was passed on, then ANSWER_LOST, and no second try',
  async (_name, protocol) => {
    await using it = await serve(
      async (response) => {
        response.writeHead(200);
        response.write('some');
        await later(30);
        if (protocol === 'h2') response.stream?.close(2);
        else response.socket?.resetAndDestroy();
      },
      { retry: quickRetry },
      toBe(protocol),
      { tls: protocol },
    );
    const chunks: string[] = [];
    const failed = rejection(
      it.bed.stream('api', {}, { onChunk: (chunk) => void chunks.push(chunk.toString()) }),
    );
    expect(await failed).toMatchObject({ kind: 'unavailable', reason: 'ANSWER_LOST' });
    expect(chunks).toEqual(['some']);
    expect(it.server.requests).toHaveLength(1);
  },
);

test('a break before anything came is tried again', async () => {
  await using it = await serve(
    (response, _request, nth) => {
      if (nth === 1) return void response.socket?.resetAndDestroy();
      response.end('second');
    },
    { retry: quickRetry },
  );
  expect(await it.bed.stream('api')).toMatchObject({ body: 'second', attempts: 2 });
});

test('HTTP 500 is tried again before the head is passed on; the last one comes whole', async () => {
  await using it = await serve(
    (response, { url }, nth) => {
      const isWell = url === '/v1/heals' && nth === 3;
      response.writeHead(isWell ? 200 : 500, { 'x-nth': `${nth}` });
      response.end(Buffer.alloc(200_000, `${nth}`));
    },
    { retry: quickRetry },
  );
  expect(await it.bed.stream('api', { path: '/heals' })).toMatchObject({
    status: 200,
    attempts: 3,
  });
  const heads: number[] = [];
  const ill = await it.bed.stream('api', {}, { onHead: ({ status }) => void heads.push(status) });
  expect(ill).toMatchObject({ status: 500, attempts: 3, headers: { 'x-nth': '6' } });
  expect(ill.body).toBe('6'.repeat(200_000));
  expect(heads).toEqual([500]);
  expect(it.server.requests).toHaveLength(6);
});

test('what is short of an unwanted answer is read, so that its connection is used again', async () => {
  await using it = await serve(
    (response, _request, nth) => {
      response.writeHead(nth < 3 ? 503 : 200);
      response.end('x'.repeat(1_000));
    },
    { retry: { ...quickRetry, backoff: { baseMs: 100, maxMs: 100 } } },
  );
  expect(await it.bed.stream('api')).toMatchObject({ status: 200, attempts: 3 });
  expect(it.server.connections()).toBe(1);
});

test('an unwanted answer without an end is let go', async () => {
  await using it = await serve(
    (response, _request, nth) => {
      response.writeHead(nth === 1 ? 503 : 200);
      if (nth === 1) response.write('…');
      else response.end();
    },
    { retry: quickRetry },
  );
  expect(await it.bed.stream('api')).toMatchObject({ status: 200, attempts: 2 });
  await expect.poll(() => it.server.brokenOff(), { timeout: 3_000 }).toBe(1);
});

test("the policy's times end with the head, and the place is held until the end", async () => {
  await using it = await serve(
    async (response) => {
      response.writeHead(200);
      for (let nth = 0; nth < 8; nth += 1) {
        response.write(`${nth}`);
        await later(50);
      }
      response.end();
    },
    {
      timeout: { perTryMs: 150, totalMs: 200 },
      concurrency: { max: 1, queue: 0 },
    },
  );
  const refusals: string[] = [];
  const answer = await it.bed.stream(
    'api',
    {},
    {
      onChunk: async (chunk) => {
        if (chunk.toString() !== '6') return;
        refusals.push((await rejection(it.bed.call('api'))).reason);
      },
    },
  );
  expect(answer.body).toBe('01234567');
  expect(refusals).toEqual(['CONCURRENCY_LIMIT']);
  expect(await it.bed.stream('api')).toMatchObject({ status: 200 });
});

test('a server that hangs before the head: TARGET_TIMEOUT', async () => {
  await using it = await serve(() => {}, { timeout: { perTryMs: 0, totalMs: 100 } });
  expect(await rejection(it.bed.stream('api'))).toMatchObject({ reason: 'TARGET_TIMEOUT' });
  await expect.poll(() => it.server.brokenOff()).toBe(1);
});

test('an answer that stops coming: ANSWER_LOST after idleTimeoutMs', async () => {
  await using it = await serve(
    (response) => {
      response.writeHead(200);
      response.write('x');
    },
    {},
    { idleTimeoutMs: 100 },
  );
  expect(await rejection(it.bed.stream('api'))).toMatchObject({
    reason: 'ANSWER_LOST',
    metadata: { fault: 'idle' },
  });
});

test('a stream is no slow call, however long its server or its reader takes', async () => {
  await using it = await serve(
    async (response) => {
      response.writeHead(200);
      response.write('x');
      await later(150);
      response.end();
    },
    { breaker: { minCalls: 1, slowRate: 0.1, slowCallMs: 50 } },
  );
  const state = () => it.bed.targets.named('Upstream', 'api').gate.breakerState;
  await it.bed.stream('api');
  expect(state()).toBe('closed');
  await it.bed.call('api');
  expect(state()).toBe('open');
});
