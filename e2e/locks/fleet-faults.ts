import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresServer } from '../../scripts/servers/postgres.ts';
import type { RedisServer } from '../../scripts/servers/redis.ts';
import type { Cell, Fleet } from './fleet.ts';
import { machineNowMs } from './history.ts';

interface Broken {
  readonly fleet: Fleet;
  readonly authority: 'Redis' | 'Postgres';
  readonly redis: RedisServer;
  readonly postgres: PostgresServer;
  readonly ttlMs: number;
  readonly random: () => number;
}

interface Fault {
  readonly name: string;
  /** How often, beside the others. */
  readonly weight: number;
  readonly run: (broken: Broken, at: number) => Promise<void>;
}

const upTo = ({ random, ttlMs }: Broken, ttls: number): number => random() * ttls * ttlMs;

const cellOf = ({ fleet }: Broken, at: number): Cell => fleet.cells[at] as Cell;
const proxyOf = (broken: Broken, at: number) =>
  broken.random() < 0.7 === (broken.authority === 'Redis')
    ? cellOf(broken, at).toRedis
    : cellOf(broken, at).toDatabase;

const faults: readonly Fault[] = [
  {
    name: 'sidecar stopped',
    weight: 4,
    run: (broken, at) => cellOf(broken, at).sidecar.pauseFor(upTo(broken, 3)),
  },
  {
    name: 'sidecar killed',
    weight: 2,
    run: async (broken, at) => {
      const { sidecar } = cellOf(broken, at);
      await sidecar.kill();
      await sidecar.start();
    },
  },
  {
    name: 'sidecar killed while stopped',
    weight: 1,
    run: async (broken, at) => {
      const { sidecar } = cellOf(broken, at);
      const resume = sidecar.pause();
      await sleep(upTo(broken, 1));
      await sidecar.kill();
      resume();
      await sidecar.start();
    },
  },
  {
    name: 'clients stopped',
    weight: 3,
    run: (broken, at) => broken.fleet.pauseClients(at, upTo(broken, 3)),
  },
  {
    name: 'clients killed',
    weight: 2,
    run: async ({ fleet }, at) => {
      await fleet.killClients(at);
      fleet.startClients(at);
    },
  },
  {
    name: 'connections cut',
    weight: 3,
    run: async (broken, at) => {
      await Promise.resolve();
      proxyOf(broken, at).cut();
    },
  },
  {
    name: 'connections stalled',
    weight: 3,
    run: async (broken, at) => {
      const proxy = proxyOf(broken, at);
      proxy.stall(broken.random() < 0.3 ? 'server' : undefined);
      await sleep(upTo(broken, 2));
      proxy.release();
    },
  },
  {
    name: 'authority crashes',
    weight: 1,
    run: ({ authority, redis, postgres }) =>
      authority === 'Redis' ? redis.restart('kill') : postgres.restart('immediate'),
  },
];

/** Breaks something now and then for so long; resolves with how often what, when all is whole again. Two things never happen to one cell at a time. */
export async function breakThings(broken: Broken, forMs: number): Promise<Map<string, number>> {
  const { random, fleet, ttlMs } = broken;
  const happened = new Map<string, number>();
  const busy = new Set<number>();
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const total = faults.reduce((sum, { weight }) => sum + weight, 0);
  const untilMs = machineNowMs() + forMs;
  while (machineNowMs() < untilMs) {
    await sleep(ttlMs * (0.1 + random() * 0.6));
    const at = Math.floor(random() * fleet.cells.length);
    let left = random() * total;
    const fault = faults.find(({ weight }) => (left -= weight) < 0);
    if (fault === undefined || busy.has(at)) continue;
    happened.set(fault.name, (happened.get(fault.name) ?? 0) + 1);
    busy.add(at);
    const run = fault
      .run(broken, at)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        busy.delete(at);
        underWay.delete(run);
      });
    underWay.add(run);
    // There is one authority.
    if (fault.name === 'authority crashes') await run;
  }
  await Promise.all(underWay);
  if (failures.length > 0) throw new AggregateError(failures, 'not all could be made whole again');
  return happened;
}
