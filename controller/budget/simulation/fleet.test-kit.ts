import { allocate } from '../allocation.ts';
import type { BudgetTerms } from '../budget-terms.ts';
import { Controllers } from './controllers.test-kit.ts';
import { plan, type Fault } from './faults.test-kit.ts';
import { Network } from './network.test-kit.ts';
import { Pod } from './pod.test-kit.ts';
import { Server } from './server.test-kit.ts';
import { times } from './times.test-kit.ts';
import { Timeline } from './timeline.test-kit.ts';

/** One run: who wants what, and what goes wrong. */
export interface Schedule {
  readonly seed: number;
  readonly terms: Omit<BudgetTerms, 'leaseMs'>;
  /** One pod each: what it wants by turns, and the second in the end. */
  readonly demands: readonly (readonly [number, number])[];
  readonly faults: readonly Fault[];
  /** The server has CONNECTION LIMIT. */
  readonly limited: boolean;
  /** Leaders answer without a look at their Lease, which they must not. */
  readonly blindLeaders?: boolean;
  /** From when on there are no faults and demand stays as it is; 16 s unless told. */
  readonly healedMs?: number;
  /** When to look at who has what, in between. */
  readonly lookMs?: number;
}

export interface Outcome {
  /** Most sessions above the budget. */
  readonly excess: number;
  readonly excessAtMs: number | undefined;
  /** 53300, which no caller saw. */
  readonly refusals: number;
  /** Sessions when all was quiet again, and what demand allowed. */
  readonly used: number;
  readonly allowed: number;
  /** Pods that wanted sessions and had none at the end. */
  readonly starved: number;
  /** Shares that changed while demand did not. */
  readonly moved: number;
  readonly virtualMs: number;
  /** At `lookMs`: pods that want sessions and have none, and sessions in all. */
  readonly look: { readonly starved: number; readonly sessions: number } | undefined;
}

const settleMs = 16_000;
const steadyMs = 4_000;

/** Faults come and go, the network heals, demand stays as it is: what came of it. */
export function simulate(schedule: Schedule): Outcome {
  const { seed, demands, faults, limited, blindLeaders = false, healedMs = 16_000 } = schedule;
  const terms = { ...schedule.terms, leaseMs: times.leaseMs };
  const time = new Timeline(seed);
  const room = terms.total - terms.reserve;
  const server = new Server(time, room, limited);
  const network = new Network(time);
  const byName = new Map<string, Pod>();
  const controllers = new Controllers(time, terms, !blindLeaders, (grant) => {
    network.send(grant.pod, () => byName.get(grant.pod)?.receive(grant));
  });
  let moved = 0;
  const pods = demands.map(([first, later], at) => {
    const pod = new Pod(`pod-${at}`, {
      time,
      server,
      send: (heartbeat) => network.send(pod.name, () => controllers.receive(heartbeat)),
      moved: () => (moved += 1),
    });
    byName.set(pod.name, pod);
    pod.demand = first;
    for (let [atMs, turn] = [3_000, at]; atMs < healedMs; atMs += 1_700, turn += 1) {
      time.after(atMs, () => (pod.demand = turn % 2 === 0 ? first : later));
    }
    time.after(healedMs, () => (pod.demand = later));
    time.after(time.between(0, 2_000), () => pod.start());
    return pod;
  });
  for (const fault of faults) plan(fault, { time, server, network, controllers, pods });

  let look: Outcome['look'];
  if (schedule.lookMs !== undefined) {
    time.runUntil(schedule.lookMs);
    look = { starved: starving(pods, server), sessions: server.sessions };
  }
  time.runUntil(healedMs + settleMs);
  const kept = pods.filter(({ deleted }) => !deleted);
  const sessions = new Map(pods.map((pod) => [pod, server.count(pod.name)]));
  let others = 0;
  for (const pod of pods) {
    if (!pod.deleted) continue;
    others += Math.max(controllers.floorOf(pod.name), sessions.get(pod) ?? 0);
  }
  const claims = kept.map(({ demand, floor }) => {
    return { floor, ceiling: Math.max(floor, terms.ceiling), demand, held: 0 };
  });
  const shares = allocate(claims, room - others);
  const allowed = kept.reduce((sum, { demand }, at) => sum + Math.min(demand, shares[at] ?? 0), 0);
  const used = kept.reduce((sum, pod) => sum + Math.min(pod.demand, sessions.get(pod) ?? 0), 0);
  const starved = starving(kept, server);
  moved = 0;
  time.runUntil(healedMs + settleMs + steadyMs);
  const { excess, excessAtMs, refusals } = server;
  const virtualMs = time.nowMs;
  return { excess, excessAtMs, refusals, used, allowed, starved, moved, virtualMs, look };
}

const starving = (pods: readonly Pod[], server: Server): number =>
  pods.filter(({ name, demand }) => demand > 0 && server.count(name) === 0).length;
