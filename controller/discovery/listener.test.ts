import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { listenFor } from './listener.ts';

const soon = { timeout: 5_000 };

test('one address gets 1,000 connections, and others theirs all the same', async () => {
  const faults: unknown[] = [];
  const taken = new Set<Socket>();
  const listener = await listenFor({
    host: '127.0.0.1',
    port: 0,
    onConnection: (socket) => void taken.add(socket.on('error', () => undefined).resume()),
    onFault: (fault) => faults.push(fault),
  });
  const from = (localAddress: string): Socket =>
    connect({ host: '127.0.0.1', port: listener.port, localAddress })
      .on('error', () => undefined)
      .resume();
  const flood = Array.from({ length: 1_010 }, () => from('127.0.0.2'));
  onTestFinished(() => {
    listener.cut();
    listener.close();
    for (const socket of flood) socket.destroy();
  });
  await expect.poll(() => flood.filter(({ closed }) => closed).length, soon).toBe(10);
  expect(taken.size).toBe(1_000);
  expect(String(faults)).toBe('Error: 127.0.0.2 has 1000 connections, and gets no more');

  const other = from('127.0.0.3');
  await once(other, 'connect');
  await expect.poll(() => taken.size, soon).toBe(1_001);
  for (const socket of flood.splice(0)) socket.destroy();
  await expect.poll(() => [...taken].filter(({ closed }) => closed).length, soon).toBe(1_000);
  const again = from('127.0.0.2');
  await expect.poll(() => taken.size, soon).toBe(1_002);
  expect(again.closed).toBe(false);
});
