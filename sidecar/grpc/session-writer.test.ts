import { expect, test } from 'vitest';
import { TestClock } from '../../platform/test-clock.ts';
import { SessionWriter, type SessionStream } from './session-writer.ts';

/** A client that takes what it is sent only when the test says so. */
function aStream() {
  const untaken: (() => void)[] = [];
  const state = { paused: false };
  const stream: SessionStream = {
    on: () => {},
    emit: () => {},
    write: (_bytes, taken) => untaken.push(taken),
    end: () => {},
    pause: () => {
      state.paused = true;
    },
    resume: () => {
      state.paused = false;
    },
  };
  return { stream, state, untaken };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const owner = { isBusy: () => true, onStall: () => {} };
const none = Buffer.alloc(0);
const limits = { maxMessageBytes: 64 * 1024 * 1024, stallMs: 1_000 };

test('answers without a byte stop the reading of requests, too, when nobody takes them', async () => {
  const { stream, state, untaken } = aStream();
  const writer = new SessionWriter(stream, new TestClock(), limits, owner);
  const large = { id: 1, more: false, field: 6, response: Buffer.alloc(1024 * 1024) };
  writer.send(large);
  await turn();
  const empty = { id: 2, more: false, field: 15, response: none };
  let sent = 0;
  while (!state.paused && sent < 1_000_000) {
    writer.send(empty);
    sent += 1;
  }
  expect(sent).toBeLessThan(300_000);
  while (untaken.length > 0) {
    for (const taken of untaken.splice(0)) taken();
    await turn();
  }
  expect(state.paused).toBe(false);
  writer.stop();
});
