import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { KubeObject } from '../../controller/kube/resource.ts';
import { type PostgresServer, startPostgres } from '../../scripts/servers/postgres.ts';
import { aPolicy, appNamespace, ClusterBed, eventually } from './cluster-bed.test-kit.ts';
import { openRoute, type PodRoute } from './pod-network.test-kit.ts';
import { TestPod } from './pod.test-kit.ts';

interface BudgetSpec {
  readonly total: number;
  readonly reserve: number;
  readonly floor: number;
  readonly leaseMs: number;
}

/** What the role's CONNECTION LIMIT is. */
const roomOf = ({ total, reserve }: BudgetSpec): number => total - reserve;

/** A fleet under a connection budget, before a PostgreSQL of its own that enforces it and logs what it refuses. */
export class BudgetBed {
  readonly cluster: ClusterBed;
  readonly spec: BudgetSpec;
  /** Most sessions that the server had so far. */
  most = 0;
  readonly #postgres: PostgresServer;
  readonly #observer: pg.Client;
  readonly #routes: PodRoute[] = [];
  #watching: Promise<void> | undefined;
  #isOpen = true;
  #made = 0;

  private constructor(
    cluster: ClusterBed,
    postgres: PostgresServer,
    observer: pg.Client,
    spec: BudgetSpec,
  ) {
    this.cluster = cluster;
    this.#postgres = postgres;
    this.#observer = observer;
    this.spec = spec;
  }

  /** With `acquireTimeoutMs` for every pool. */
  static async open(spec: BudgetSpec, acquireTimeoutMs: number): Promise<BudgetBed> {
    const postgres = await startPostgres({ settings: { max_connections: '60' } });
    // Pods have addresses of their own.
    const access = 'host all all 127.0.0.0/8 scram-sha-256\n';
    appendFileSync(join(postgres.dataDir, 'cluster/pg_hba.conf'), access);
    const observer = new pg.Client(postgres.url);
    await observer.connect();
    await observer.query('select pg_reload_conf()');
    await observer.query(
      `create role shop_app login password 'shop' connection limit ${roomOf(spec)}`,
    );
    const cluster = await ClusterBed.open();
    await cluster.startReplica('first');
    await cluster.apply({
      apiVersion: 'resilience.holdfast.dev/v1alpha1',
      kind: 'ConnectionBudget',
      metadata: { name: 'orders' },
      spec: { ...spec, ceiling: roomOf(spec), namespaces: { names: [appNamespace] } },
    } as KubeObject);
    await cluster.apply(
      aPolicy('shop', {
        selector: { matchLabels: { app: 'shop' } },
        postgres: [
          {
            name: 'default',
            secretRef: { name: 'orders' },
            budgetRef: { name: 'orders' },
            pool: { min: 0, max: roomOf(spec), acquireTimeoutMs },
          },
        ],
      }),
    );
    const bed = new BudgetBed(cluster, postgres, observer, spec);
    bed.#watching = bed.#watch();
    return bed;
  }

  get room(): number {
    return roomOf(this.spec);
  }

  /** A pod that has its policy. */
  async startPod(): Promise<TestPod> {
    const url = new URL(this.#postgres.url);
    url.username = 'shop_app';
    url.password = 'shop';
    const number = (this.#made += 1);
    const route = await openRoute(`127.0.1.${number}`, Number(url.port));
    this.#routes.push(route);
    url.port = String(route.port);
    const pod = await TestPod.create(this.cluster, `shop-${number}`, {
      secrets: { 'orders/url': url.href },
    });
    await pod.start();
    await eventually(
      'it has its policy',
      async () => (await pod.inspect()).source === 'Controller',
    );
    return pod;
  }

  /** As a Deployment takes a pod away: its sidecar ends, then the Pod is gone. */
  async removePod(pod: TestPod): Promise<void> {
    await pod.close();
    await pod.remove();
  }

  /** Sessions of the role, as the server counts them. */
  async sessions(): Promise<number> {
    const { rows } = await this.#observer.query<{ count: string }>(
      "select count(*) from pg_stat_activity where usename = 'shop_app'",
    );
    return Number(rows[0]?.count);
  }

  /** Lines of the server's log that refuse a session (53300). */
  refused(): readonly string[] {
    const log = readFileSync(join(this.#postgres.dataDir, 'postgres.log'), 'utf8');
    return log
      .split('\n')
      .filter((line) => /too many (connections|clients)|remaining connection slots/.test(line));
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#watching;
    await this.cluster.close();
    await Promise.all(this.#routes.map((route) => route.close()));
    await this.#observer.end();
    await this.#postgres.stop();
  }

  async #watch(): Promise<void> {
    while (this.#isOpen) {
      this.most = Math.max(this.most, await this.sessions());
      await sleep(50);
    }
  }
}

/** A number of a pod's `/metrics`, of the budget. */
export async function budgetMetric(pod: TestPod, name: string): Promise<number> {
  const text = await pod.sidecar.metrics();
  const line = new RegExp(`^holdfast_connection_budget_${name}\\{budget="orders"\\} (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1] ?? 0);
}
