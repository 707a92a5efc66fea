import pg from 'pg';
import { vi } from 'vitest';
import { connect, type Holdfast } from '../clients/typescript/index.ts';
import type { Grant } from '../platform/gen/holdfast/control/v1/Grant.ts';
import type { Heartbeat__Output } from '../platform/gen/holdfast/control/v1/Heartbeat.ts';
import { TestController } from './control/discovery-server.test-kit.ts';
import {
  type ControlledSidecar,
  mountSecret,
  podFolder,
  startControlledSidecar,
} from './controlled-sidecar.test-kit.ts';

/** A role that is no superuser, and all that it has on the server. */
export interface TestRole extends AsyncDisposable {
  /** Of the same database, as this role. */
  readonly url: string;
  /** Sessions of it on the server, by pid. */
  readonly sessions: () => Promise<number[]>;
  /** CONNECTION LIMIT; -1 = none. */
  limit(sessions: number): Promise<void>;
  /** The most sessions since the last call, looked at every few ms. */
  most(): number;
  /** As the superuser. */
  readonly client: pg.Client;
}

let made = 0;

export async function testRole(databaseUrl: string): Promise<TestRole> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  made += 1;
  const role = `app_${process.pid}_${made}`;
  await client.query(`create role ${role} login password 'app'`);
  await client.query(`grant all on schema public to ${role}`);
  const url = new URL(databaseUrl);
  url.username = role;
  url.password = 'app';
  const watcher = new pg.Client(databaseUrl);
  await watcher.connect();
  const look = async (by: pg.Client): Promise<number[]> => {
    const { rows } = await by.query<{ pid: number }>(
      'select pid from pg_stat_activity where usename = $1',
      [role],
    );
    return rows.map(({ pid }) => pid);
  };
  const seen = { most: 0, watching: true };
  const watched = (async () => {
    while (seen.watching) {
      const { length } = await look(watcher);
      seen.most = Math.max(seen.most, length);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  })();
  return {
    url: url.href,
    client,
    sessions: () => look(client),
    limit: async (sessions) =>
      void (await client.query(`alter role ${role} connection limit ${sessions}`)),
    most: () => {
      const { most } = seen;
      seen.most = 0;
      return most;
    },
    [Symbol.asyncDispose]: async () => {
      seen.watching = false;
      await watched;
      await watcher.end();
      await client.query(`drop owned by ${role}`);
      await client.query(`drop role ${role}`);
      await client.end();
    },
  };
}

/** Grants what it is told to, as a leader would; `undefined` = it says nothing any more. */
export class TestBooks {
  share: number | undefined;
  floor = 1;
  leaseMs = 10_000;
  /** Of the next grant only. */
  next: Partial<Grant> = {};
  readonly #controller: TestController;

  constructor(controller: TestController, share: number | undefined) {
    this.#controller = controller;
    this.share = share;
    controller.onHeartbeat = ({ budget, number }, stream) => {
      if (this.share === undefined) return;
      const { floor, share, leaseMs, next } = this;
      const [boot, epoch] = [stream.hello.boot, 1];
      this.next = {};
      stream.send({
        grant: { budget, boot, epoch, answers: number, floor, share, leaseMs, ...next },
      });
    };
  }

  get last(): Heartbeat__Output | undefined {
    return this.#controller.heartbeats.at(-1);
  }
}

/** A pool of the budget `orders`. */
export const budgetedPool = (limits: object = {}, name = 'default'): object => ({
  name,
  secretRef: { name: 'orders-db' },
  budgetRef: { name: 'orders' },
  pool: { max: 20, acquireTimeoutMs: 20_000, ...limits },
});

/** A sidecar whose pools have a connection budget, its controller, and their role on the server. */
export class BudgetBed {
  readonly role: TestRole;
  readonly folder = podFolder();
  readonly controller: TestController;
  readonly books: TestBooks;
  readonly #running: { sidecar: ControlledSidecar; holdfast: Holdfast }[] = [];

  private constructor(role: TestRole, controller: TestController, share: number | undefined) {
    this.role = role;
    this.controller = controller;
    this.books = new TestBooks(controller, share);
    mountSecret(this.folder.path, 'orders-db', 'url', role.url);
  }

  /** `share`: what is granted; undefined = nothing. */
  static async open(databaseUrl: string, share: number | undefined): Promise<BudgetBed> {
    const [role, controller] = [await testRole(databaseUrl), await TestController.start()];
    return new BudgetBed(role, controller, share);
  }

  /** Starts a sidecar, under these pools or those that the last one had. */
  async start(...pools: object[]): Promise<{ sidecar: ControlledSidecar; holdfast: Holdfast }> {
    if (pools.length > 0) this.controller.push([{ postgres: pools }]);
    const sidecar = await startControlledSidecar(this.folder.path, this.controller.address);
    const holdfast = connect({ address: sidecar.address });
    const started = { sidecar, holdfast };
    this.#running.push(started);
    await vi.waitUntil(async () => (await sidecar.inspect()).source === 'Controller', 20_000);
    return started;
  }

  async stop(): Promise<void> {
    for (const { sidecar, holdfast } of this.#running.splice(0)) {
      await holdfast.close();
      await sidecar.stop();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.controller.stop();
    this.folder[Symbol.dispose]();
    await this.role[Symbol.asyncDispose]();
  }
}
