import { type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FaultProxy } from '../../scripts/faults/fault-proxy.ts';
import { proxyTo } from '../../scripts/faults/fault-proxy.ts';
import { endProcess, startTethered } from '../../scripts/servers/tethered-process.ts';
import { temporaryFolder } from '../../scripts/servers/temporary-folder.ts';
import type { Increment } from './counter-work.ts';
import { FleetSidecar } from './fleet-sidecar.ts';
import { eventsOf, type LockEvent, machineNowMs } from './history.ts';
import { lockPolicy } from './lock-policy.ts';

export interface FleetParts {
  readonly authority: 'Redis' | 'Postgres';
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly sidecars: number;
  /** Clients of each, all in one process. */
  readonly clients: number;
  /** Of each kind. */
  readonly locks: number;
  readonly ttlMs: number;
  readonly seed: number;
}

/** A sidecar with its clients, and the way to its servers. */
export interface Cell {
  readonly sidecar: FleetSidecar;
  readonly client: string;
  readonly toDatabase: FaultProxy;
  readonly toRedis: FaultProxy;
}

const program = fileURLToPath(new URL('crowd-process.ts', import.meta.url));
/** A client that waits for its sidecar, or for an answer of a database that was cut. */
const lastWorkMs = 30_000;

/** Sidecar processes whose clocks are minutes apart, and as many processes of clients. */
export class Fleet {
  readonly cells: readonly Cell[];
  readonly #parts: FleetParts;
  readonly #folder = temporaryFolder('crowd');
  readonly #crowds: ChildProcess[] = [];
  readonly #events: LockEvent[];
  readonly #files: string[] = [];

  private constructor(parts: FleetParts, cells: readonly Cell[], events: LockEvent[]) {
    this.#parts = parts;
    this.cells = cells;
    this.#events = events;
  }

  static async start(parts: FleetParts): Promise<Fleet> {
    const { authority, databaseUrl, redisUrl, ttlMs } = parts;
    const events: LockEvent[] = [];
    const policy = lockPolicy({
      authority,
      ttlMs,
      maxHoldMs: ttlMs * 10,
      fenceWaitMs: Math.floor(ttlMs / 5),
    });
    const cells: Cell[] = [];
    for (let at = 0; at < parts.sidecars; at += 1) {
      const toDatabase = await proxyTo(databaseUrl);
      const toRedis = await proxyTo(redisUrl);
      const env = {
        DATABASE_URL: toDatabase.through(databaseUrl),
        REDIS_URL: toRedis.through(redisUrl),
      };
      const sidecar = new FleetSidecar({
        name: `s${at}`,
        policy,
        env,
        shiftMs: ((at % 3) - 1) * 300_000,
        record: (event) => events.push(event),
      });
      cells.push({ sidecar, client: `c${at}`, toDatabase, toRedis });
    }
    await Promise.all(cells.map(({ sidecar }) => sidecar.start()));
    const fleet = new Fleet(parts, cells, events);
    for (const at of cells.keys()) fleet.startClients(at);
    return fleet;
  }

  startClients(at: number): void {
    const { client, sidecar } = this.cells[at] as Cell;
    const { clients, locks, ttlMs, seed } = this.#parts;
    const file = join(this.#folder, `${client}-${this.#files.length}`);
    this.#files.push(file);
    const its = {
      client,
      sidecar: sidecar.name,
      address: sidecar.address,
      clients,
      locks,
      ttlMs,
      seed: seed + this.#files.length,
      eventsFile: `${file}.events`,
      incrementsFile: `${file}.increments`,
    };
    this.#crowds[at] = startTethered(process.execPath, [program, JSON.stringify(its)], {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'inherit', 'inherit'],
      deathSignal: 'SIGTERM',
    });
  }

  async killClients(at: number): Promise<void> {
    const { client } = this.cells[at] as Cell;
    this.#events.push({
      what: 'killed',
      atMs: machineNowMs(),
      process: client,
      kind: 'client',
    });
    await endProcess(this.#crowds[at] as ChildProcess, 'SIGKILL', 1_000);
  }

  async pauseClients(at: number, forMs: number): Promise<void> {
    const child = this.#crowds[at] as ChildProcess;
    const fromMs = machineNowMs();
    child.kill('SIGSTOP');
    await sleep(forMs);
    child.kill('SIGCONT');
    const { client } = this.cells[at] as Cell;
    this.#events.push({ what: 'paused', process: client, fromMs, atMs: machineNowMs() });
  }

  /** Lets the clients finish what they do. */
  async endClients(): Promise<void> {
    await this.#end('SIGTERM', lastWorkMs);
  }

  /** What all have written down. */
  history(): { readonly events: readonly LockEvent[]; readonly told: readonly Increment[] } {
    const events = [...this.#events, ...this.cells.flatMap(({ sidecar }) => sidecar.events())];
    const told: Increment[] = [];
    for (const file of this.#files) {
      for (const event of eventsOf(textOf(`${file}.events`))) events.push(event);
      for (const line of textOf(`${file}.increments`).split('\n')) {
        // The last line of one that was killed may be cut off: then its transaction had not begun, or its end was not told.
        if (line.endsWith('}')) told.push(JSON.parse(line) as Increment);
      }
    }
    return { events, told };
  }

  async stop(): Promise<void> {
    await this.#end('SIGKILL', 1_000);
    await Promise.all(this.cells.map(({ sidecar }) => sidecar.stop()));
    for (const { toDatabase, toRedis } of this.cells) {
      await toDatabase[Symbol.asyncDispose]();
      await toRedis[Symbol.asyncDispose]();
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    await Promise.all(this.#crowds.map((child) => endProcess(child, signal, graceMs)));
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
