import type { Controllers } from './controllers.test-kit.ts';
import type { Network } from './network.test-kit.ts';
import type { Pod } from './pod.test-kit.ts';
import type { Server } from './server.test-kit.ts';
import type { Timeline } from './timeline.test-kit.ts';

export const faultKinds = [
  'crash',
  'linger',
  'stop',
  'clock pause',
  'forced deletion',
  'cut off',
  'all cut off',
  'noise',
  'leader crash',
  'leader pause',
  'leader cut off',
] as const;

export interface Fault {
  readonly kind: (typeof faultKinds)[number];
  readonly atMs: number;
  readonly forMs: number;
  /** Which pod, counted round. */
  readonly pod: number;
}

interface Parts {
  readonly time: Timeline;
  readonly server: Server;
  readonly network: Network;
  readonly controllers: Controllers;
  readonly pods: readonly Pod[];
}

/** Puts a fault on the timeline. */
export function plan(fault: Fault, { time, server, network, controllers, pods }: Parts): void {
  const pod = pods[fault.pod % pods.length];
  if (pod === undefined) return;
  const { forMs } = fault;
  const strike: Record<Fault['kind'], () => void> = {
    crash: () => {
      pod.crash();
      time.after(forMs, () => pod.start());
    },
    linger: () => server.linger(pod.name, forMs),
    stop: () => pod.stop(forMs, false),
    'clock pause': () => pod.stop(forMs, true),
    // Its token is worth nothing any more, but nobody has stopped it.
    'forced deletion': () => {
      controllers.podDeleted(pod.name);
      network.cut(pod.name, Infinity);
      pod.deleted = true;
    },
    'cut off': () => network.cut(pod.name, forMs),
    'all cut off': () => {
      for (const { name } of pods) network.cut(name, forMs);
    },
    noise: () => network.noise(forMs),
    'leader crash': () => controllers.crash(forMs),
    'leader pause': () => controllers.freeze(forMs),
    'leader cut off': () => controllers.cutOff(forMs),
  };
  time.after(fault.atMs, strike[fault.kind]);
}
