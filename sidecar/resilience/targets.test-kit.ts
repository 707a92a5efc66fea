import { randomUUID } from 'node:crypto';
import { systemClock, type Clock } from '../../platform/clock.ts';
import { Deadlines } from '../../platform/deadlines.ts';
import { PodLedger } from './pod-ledger.ts';
import { Targets } from './targets.ts';

/** Targets of which no policy says anything; `configure` them. */
export function freeTargets(clock: Clock = systemClock, random = Math.random): Targets {
  const deadlines = new Deadlines(clock);
  return new Targets({
    clock,
    random,
    deadlines,
    newId: randomUUID,
    events: () => ({
      onBreaker: () => {},
      onRetry: () => {},
      onRefused: () => {},
      onShadowRefused: () => {},
      onShadowRetry: () => {},
    }),
    openLedger: (_kind, target, settings) =>
      new PodLedger(settings, {
        target,
        clock,
        deadlines,
        events: { charged: () => {}, overshot: () => {}, warned: () => {}, expired: () => {} },
      }),
  });
}
