import { describe, expect, test } from 'vitest';
import { eventLine, eventsOf, type LockEvent } from './history.ts';
import { holdsOf } from './holds.ts';

const asked = (atMs = 1_000, more: { readonly names?: string[] } = {}): LockEvent => ({
  what: 'asked',
  atMs,
  id: '1',
  client: 'c',
  sidecar: 's',
  names: ['a'],
  mode: 'exclusive',
  permits: 1,
  ttlMs: 500,
  owner: '',
  fence: '',
  ...more,
});
const granted = (atMs = 1_010): LockEvent => ({ what: 'granted', atMs, id: '1', tokens: ['7'] });
const releasing = (atMs: number): LockEvent => ({ what: 'releasing', atMs, id: '1' });
const released = (atMs: number, why = ''): LockEvent => ({ what: 'released', atMs, id: '1', why });
const told = (atMs: number, why: string): LockEvent => ({ what: 'told', atMs, id: '1', why });
const paused = (process: string, fromMs: number, atMs: number): LockEvent => ({
  what: 'paused',
  process,
  fromMs,
  atMs,
});
const killed = (process: string, atMs: number, kind: 'client' | 'sidecar'): LockEvent => ({
  what: 'killed',
  process,
  atMs,
  kind,
});
const until = (...events: LockEvent[]): number | undefined => holdsOf(events)[0]?.untilMs;
const held = [asked(), granted()];

test('who was refused held nothing; of several names each is held', () => {
  expect(holdsOf([asked(), { what: 'refused', atMs: 1_010, id: '1', why: 'LOCK_HELD' }])).toEqual(
    [],
  );
  const two = holdsOf([
    asked(1_000, { names: ['a', 'b'] }),
    { what: 'granted', atMs: 1_010, id: '1', tokens: ['7', '8'] },
  ]);
  expect(two).toMatchObject([
    { name: 'a', token: 7n, grantedAtMs: 1_010 },
    { name: 'b', token: 8n },
  ]);
});

describe('it was held until', () => {
  test.each<[string, LockEvent[], number]>([
    [
      'it was released, whoever was paused',
      [paused('s', 1_900, 2_050), releasing(2_000), released(2_060)],
      2_000,
    ],
    [
      'shortly before a release that nobody confirmed',
      [releasing(2_000), released(2_060, 'LOCK_LOST')],
      1_960,
    ],
    ['shortly before a loss that was told', [told(2_000, 'expired')], 1_960],
    [
      'a pause of the sidecar before the news',
      [paused('s', 1_600, 1_990), told(2_000, 'expired')],
      1_560,
    ],
    [
      'a pause of the client before the news',
      [paused('c', 1_600, 1_990), told(2_000, 'session')],
      1_560,
    ],
    [
      'the first of pauses that follow each other',
      [paused('c', 1_700, 1_990), paused('s', 1_600, 1_690), told(2_000, 'expired')],
      1_560,
    ],
    [
      'shortly before the news, when the pause was long before',
      [paused('s', 1_600, 1_900), told(2_000, 'expired')],
      1_960,
    ],
    [
      'shortly before the news, when somebody else was paused',
      [paused('x', 1_600, 1_990), told(2_000, 'expired')],
      1_960,
    ],
    [
      'the least end of its lease, when it expired',
      [paused('s', 1_100, 2_990), told(3_000, 'expired')],
      1_500,
    ],
    [
      'the least end of its lease, when its sidecar was killed',
      [killed('s', 1_100, 'sidecar'), told(1_110, 'session')],
      1_500,
    ],
    ['its sidecar was killed later', [killed('s', 1_900, 'sidecar')], 1_860],
    ['its client was killed', [killed('c', 1_200, 'client')], 1_160],
    ['the session broke, when it did so by itself', [told(1_200, 'session')], 1_160],
    [
      'a kill, when the sidecar was stopped before',
      [paused('s', 1_700, 1_900), killed('s', 1_900, 'sidecar')],
      1_660,
    ],
    ['the end of what is known', [{ what: 'refused', atMs: 4_000, id: '2', why: '' }], 3_960],
  ])('%s', (_, events, atMs) => {
    expect(until(...held, ...events)).toBe(atMs);
  });

  test('a kill before it was asked for does not count', () => {
    expect(until(killed('s', 900, 'sidecar'), ...held, releasing(2_000), released(2_001))).toBe(
      2_000,
    );
  });
});

test('a file of events is read as far as its writer came', () => {
  const text = held.map(eventLine).join('');
  expect(eventsOf(text)).toEqual(held);
  expect(eventsOf(text.slice(0, -5))).toEqual([asked()]);
  expect(() => eventsOf(`x${text}`)).toThrow('JSON');
});
