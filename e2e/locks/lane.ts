import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultProxy } from '../../scripts/faults/fault-proxy.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';
import { temporaryFolder } from '../../scripts/servers/temporary-folder.ts';
import { everybody, type LockEvent, machineNowMs, watchPauses } from './history.ts';
import { LockClient } from './lock-client.ts';
import type { Fault, Schedule } from './schedule.ts';

interface Servers {
  readonly authority: 'Redis' | 'Postgres';
  readonly databaseUrl: string;
  readonly redisUrl: string | undefined;
  /** To whoever grants locks, one for each sidecar. */
  readonly proxies: readonly FaultProxy[];
  /** Longest time to live. */
  readonly ttlMs: number;
}

/** How a schedule went. */
export interface Ran {
  readonly events: readonly LockEvent[];
  /** Locks that nobody could get when all was well again. */
  readonly stuck: readonly string[];
}

/** Within so long after the last fault everything can be had, on a machine that has other work. */
const recoveryMs = 8_000;

/** Some sidecars in this process, and the schedules that are run on them one after the other. */
export class Lane {
  readonly #servers: Servers;
  readonly #folders: readonly string[];
  readonly #sidecars: TestSidecar[] = [];
  /** Whose proxy is shut, or who is being replaced. */
  readonly #away = new Set<number>();

  private constructor(servers: Servers) {
    this.#servers = servers;
    this.#folders = servers.proxies.map(() => temporaryFolder('lane'));
  }

  static async open(servers: Servers): Promise<Lane> {
    const lane = new Lane(servers);
    for (const at of servers.proxies.keys()) lane.#sidecars.push(await lane.#start(at));
    return lane;
  }

  async close(): Promise<void> {
    await Promise.all(this.#sidecars.map((each) => each.stop(500)));
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }

  async run(schedule: Schedule): Promise<Ran> {
    const events: LockEvent[] = [];
    const record = (event: LockEvent): void => void events.push(event);
    const stopWatch = watchPauses(everybody, record);
    const clients = schedule.clients.map(
      ({ sidecar }, at) =>
        new LockClient({
          client: `c${at}`,
          sidecar: `s${sidecar}`,
          address: this.#sidecars[sidecar]?.address ?? '',
          record,
        }),
    );
    await Promise.all([
      ...schedule.clients.map(async ({ turns }, at) => {
        for (const turn of turns) {
          await sleep(turn.afterMs);
          await clients[at]?.take(turn);
        }
      }),
      ...schedule.faults.map((fault) => this.#happen(fault, schedule, clients)),
    ]);
    const stuck = await this.#stuck(schedule, clients);
    await Promise.all(clients.map((each) => each.close()));
    stopWatch();
    return { events, stuck };
  }

  /** Everybody is well: whatever is held is let go or ends. */
  async #stuck(schedule: Schedule, clients: readonly LockClient[]): Promise<string[]> {
    const names = new Set(
      schedule.clients.flatMap(({ turns }) => turns.flatMap((turn) => turn.names)),
    );
    const tried = [...names].map(async (name, at) => {
      const { holdfast } = clients[at % clients.length] as LockClient;
      const lastMs = machineNowMs() + recoveryMs;
      for (;;) {
        const waitMs = Math.max(0, Math.ceil(lastMs - machineNowMs()));
        try {
          const lock = await holdfast.locks().acquire(name, { waitMs });
          await lock.release();
          return [];
        } catch (error) {
          if (machineNowMs() >= lastMs) return [`${name}: ${String(error)}`];
          await sleep(20);
        }
      }
    });
    return (await Promise.all(tried)).flat();
  }

  async #happen(
    { afterMs, sidecar, what, forMs }: Fault,
    { clients: all }: Schedule,
    clients: readonly LockClient[],
  ): Promise<void> {
    await sleep(afterMs);
    const proxy = this.#servers.proxies[sidecar] as FaultProxy;
    switch (what) {
      case 'cut':
        return proxy.cut();
      case 'stall':
      case 'stall requests':
      case 'stall answers':
        proxy.stall(stalled[what]);
        await sleep(forMs);
        return proxy.release();
      case 'shut':
        return this.#once(sidecar, async () => {
          await proxy.shut();
          await sleep(forMs);
          await proxy.reopen();
        });
      case 'restart':
        return this.#once(sidecar, async () => {
          await this.#sidecars[sidecar]?.stop(Math.min(forMs, 200));
          this.#sidecars[sidecar] = await this.#start(sidecar);
        });
      case 'client dies': {
        const at = all.findIndex((client) => client.sidecar === sidecar);
        clients[at]?.die();
        return;
      }
      default:
        what satisfies never;
    }
  }

  /** Not twice at a time. */
  async #once(sidecar: number, work: () => Promise<void>): Promise<void> {
    if (this.#away.has(sidecar)) return;
    this.#away.add(sidecar);
    await work().finally(() => this.#away.delete(sidecar));
  }

  #start(at: number): Promise<TestSidecar> {
    const { authority, databaseUrl, redisUrl, proxies, ttlMs } = this.#servers;
    const proxy = proxies[at] as FaultProxy;
    const isRedis = authority === 'Redis';
    return startSidecar({
      databaseUrl: isRedis ? databaseUrl : proxy.through(databaseUrl),
      ...(redisUrl === undefined ? {} : { redisUrl: isRedis ? proxy.through(redisUrl) : redisUrl }),
      folder: this.#folders[at] as string,
      postgres: { pool: { min: 0, max: 6 } },
      locks: { authority, ttlMs, maxHoldMs: ttlMs * 10, fenceWaitMs: 100 },
    });
  }
}

const stalled = {
  stall: undefined,
  'stall requests': 'client',
  'stall answers': 'server',
} as const;
