import { expect, test } from 'vitest';
import { leaseTime } from './lease-time.ts';
import type { Grant } from './share-messages.ts';
import { Share } from './share.ts';

function sidecar(floor = 2) {
  const time = { nowMs: 0 };
  const share = new Share({
    boot: 3,
    floor,
    now: () => time.nowMs,
    random: () => 0.5,
    driftRatio: 0.1,
    drainMs: 2_000,
    lateConnectMs: 60_000,
    refusalMs: 1_000,
  });
  const grant = (answers: number, most: number, epoch = 1): Grant => {
    return { boot: 3, epoch, answers, floor, share: most, leaseMs: 10_000, gone: [] };
  };
  /** Ports of sessions that are open. */
  const open = (...ports: number[]): void => {
    for (const port of ports) {
      share.connecting(port);
      share.opened(port);
    }
  };
  return { time, share, grant, open };
}

test('starts with the floor of the disk, and none means nothing', () => {
  expect(sidecar(2).share.most).toBe(2);
  expect(sidecar(0).share.mayOpen).toBe(0);
});

test('a grant runs from when its heartbeat was sent, less the drift: T_stop, then T_kill', () => {
  const { time, share, grant, open } = sidecar();
  share.heartbeat(9);
  time.nowMs = 3_000;
  expect(share.take(grant(1, 8))).toBe(true);
  open(1, 2, 3, 4, 5);
  time.nowMs = 6_999;
  expect(share).toMatchObject({ most: 8, surplus: { drain: 0, destroy: 0 } });
  time.nowMs = 7_000;
  expect(share).toMatchObject({ most: 2, mayOpen: 0, surplus: { drain: 3, destroy: 0 } });
  time.nowMs = 9_000;
  expect(share.surplus).toEqual({ drain: 3, destroy: 3 });
});

test('a grant that comes after its T_stop gives nothing', () => {
  const { time, share, grant } = sidecar();
  share.heartbeat(9);
  time.nowMs = 7_000;
  expect(share.take(grant(1, 8))).toBe(false);
  expect(share.most).toBe(2);
});

test('grants of another boot, an older epoch or no newer heartbeat are dropped', () => {
  const { share, grant } = sidecar();
  for (let sent = 0; sent < 3; sent += 1) share.heartbeat(9);
  expect(share.take({ ...grant(1, 9), boot: 2 })).toBe(false);
  expect(share.take(grant(2, 5, 4))).toBe(true);
  expect(share.take(grant(2, 9, 4))).toBe(false);
  expect(share.take(grant(1, 9, 4))).toBe(false);
  expect(share.take(grant(3, 9, 3))).toBe(false);
  expect(share.take(grant(4, 9, 4))).toBe(false);
  expect(share.most).toBe(5);
});

test('connects under way are at most the floor, and one without a floor', () => {
  const { share, grant } = sidecar();
  share.heartbeat(9);
  share.take(grant(1, 8));
  expect(share.mayOpen).toBe(2);
  share.connecting(1);
  share.connecting(2);
  expect(share.mayOpen).toBe(0);
  share.opened(1);
  expect(share.mayOpen).toBe(1);
  const poor = sidecar(0);
  poor.share.heartbeat(9);
  poor.share.take(poor.grant(1, 8));
  expect(poor.share.mayOpen).toBe(1);
});

test('a connect that is given up counts as under way until it can land no more', () => {
  const { time, share } = sidecar();
  share.connecting(1);
  share.destroyed(1);
  time.nowMs = 59_999;
  expect(share).toMatchObject({ mayOpen: 1, sessions: 1 });
  time.nowMs = 60_000;
  expect(share.mayOpen).toBe(2);
});

test('a connect that is through after T_stop is to be closed unused', () => {
  const { time, share, grant, open } = sidecar();
  share.heartbeat(9);
  share.take(grant(1, 8));
  open(1, 2);
  share.connecting(3);
  time.nowMs = 7_500;
  expect(share.opened(3)).toBe(false);
});

test('destroying a socket frees nothing before the server has closed it, or does not list it', () => {
  const { share, grant, open } = sidecar();
  open(1, 2);
  share.destroyed(1);
  share.destroyed(2);
  expect(share.mayOpen).toBe(0);
  share.closed(1);
  expect(share.heartbeat(9).ports).toEqual([2]);
  share.take({ ...grant(1, 2), gone: [2] });
  expect(share.mayOpen).toBe(2);
});

test('refused by the server: no more than is open until a newer grant, the floor after a while', () => {
  const { time, share, grant, open } = sidecar();
  share.heartbeat(9);
  share.take(grant(1, 8));
  open(1);
  share.connecting(2);
  share.refused(2);
  expect(share).toMatchObject({ most: 1, refusals: 1 });
  time.nowMs = 1_000;
  expect(share.most).toBe(2);
  expect(share.heartbeat(9)).toMatchObject({ share: 2, answered: 1, ports: [1] });
  share.take(grant(2, 8));
  expect(share.most).toBe(8);
});

test('a machine that was suspended does not think that its lease still runs', () => {
  const clock = { monotonicMs: 0, wallMs: 5_000 };
  const now = leaseTime({ now: () => clock.monotonicMs, wallNow: () => clock.wallMs });
  clock.monotonicMs = 100;
  clock.wallMs = 60_100;
  expect(now()).toBe(55_100);
  clock.wallMs = 0;
  clock.monotonicMs = 150;
  expect(now()).toBe(55_150);
});

test('with no answer of the server on any socket one session more is opened, to see what is left of them', () => {
  const time = { nowMs: 0 };
  const share = new Share({
    boot: 3,
    floor: 2,
    now: () => time.nowMs,
    random: () => 0.5,
    driftRatio: 0.1,
    drainMs: 2_000,
    lateConnectMs: 60_000,
    refusalMs: 1_000,
    blindMs: 3_000,
  });
  for (const port of [1, 2]) {
    share.connecting(port);
    share.opened(port);
    share.destroyed(port);
  }
  time.nowMs = 3_000;
  expect([share.mayOpen, share.unconfirmed(2_000)]).toEqual([0, [1, 2]]);
  time.nowMs = 3_001;
  expect(share.mayOpen).toBe(1);
  share.connecting(3);
  expect(share.mayOpen).toBe(0);
  expect(share.opened(3)).toBe(true);
  expect(share).toMatchObject({ mayOpen: 0, surplus: { drain: 0, destroy: 0 } });
  share.notListed([1, 2, 3]);
  expect([share.sessions, share.mayOpen]).toEqual([1, 1]);
});

test('a short lease drains for a quarter of it', () => {
  const { time, share, grant, open } = sidecar();
  share.heartbeat(9);
  share.take({ ...grant(1, 8), leaseMs: 2_000 });
  open(1, 2, 3);
  time.nowMs = 1_299;
  expect(share.most).toBe(8);
  time.nowMs = 1_300;
  expect(share).toMatchObject({ most: 2, surplus: { drain: 1, destroy: 0 } });
});
