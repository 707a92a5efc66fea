import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, HoldfastError } from '../clients/typescript/index.ts';
import { type SidecarProcess, startSidecarProcess } from '../scripts/servers/sidecar.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';

/** What the sidecar's process takes of the machine's memory, and what it does when there is little. */

const mebibyte = 1024 * 1024;
const limit = 256 * mebibyte;

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

const start = (env: Record<string, string> = {}): Promise<SidecarProcess> =>
  startSidecarProcess(
    { DATABASE_URL: database.url, REDIS_URL: 'off', HOLDFAST_GRACE_MS: '2000', ...env },
    { output: 'kept' },
  );
const gauge = async (sidecar: SidecarProcess, name: string): Promise<number> =>
  Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await sidecar.metrics())?.[1]);
/** The most that was resident. */
const peakBytes = ({ pid }: SidecarProcess): number =>
  1_024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

describe('the heap', () => {
  test.each([
    ['half of a small limit', { HOLDFAST_MEMORY_BYTES: `${200 * mebibyte}` }, 100],
    ['what somebody has chosen', { NODE_OPTIONS: '--max-old-space-size=90' }, 90],
  ])('has %s, however the process was started', async (_, env, old) => {
    const sidecar = await start(env);
    const bytes = await gauge(sidecar, 'holdfast_heap_limit_bytes');
    // The young generation is counted, too.
    expect(bytes / mebibyte).toBeGreaterThanOrEqual(old);
    expect(bytes / mebibyte).toBeLessThanOrEqual(old + 12);
    await sidecar.stop();
    expect(sidecar.output()).toBe('');
  });

  const mayUnshare = spawnSync('unshare', ['--mount', 'true']).status === 0;
  test.skipIf(!mayUnshare)(
    `follows the limit of the cgroup${mayUnshare ? '' : ' (skipped: only root can pretend one)'}`,
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'hf-'));
      const script = join(folder, 'cgroup.sh');
      writeFileSync(script, pretendedCgroup);
      const probe = `
        import { heapFlags, memoryLimit, sidecarHeap } from ${JSON.stringify(new URL('../platform/heap-flags.ts', import.meta.url).href)};
        const memoryBytes = memoryLimit(undefined, process.constrainedMemory(), 2 ** 40);
        console.log(heapFlags({ memoryBytes, execArgv: [], nodeOptions: '' }, sidecarHeap).join(' '));`;
      const node = [process.execPath, '--input-type=module', '--eval', probe];
      const args = ['--mount', 'sh', script, `${200 * mebibyte}`, ...node];
      expect(execFileSync('unshare', args).toString()).toMatch(/--max-old-space-size=100\s/);
      rmSync(folder, { recursive: true });
    },
  );

  test('is limited in the command `holdfast sidecar`, too', async () => {
    const main = fileURLToPath(new URL('holdfast.ts', import.meta.url));
    const sidecar = await startSidecarProcess(
      { DATABASE_URL: database.url, REDIS_URL: 'off' },
      { main: [main, 'sidecar'] },
    );
    expect(await gauge(sidecar, 'holdfast_heap_limit_bytes')).toBeLessThan(175 * mebibyte);
    await sidecar.stop();
  });
});

/** A file system in the place of the real one, for one process: nothing of the machine changes. */
const pretendedCgroup = `
  set -e
  limit=$1; shift
  mount -t tmpfs none /sys/fs/cgroup
  if grep -q '^[0-9]*:memory:' /proc/self/cgroup; then
    folder=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
    mkdir -p "$folder"
    echo "$limit" > "$folder/memory.limit_in_bytes"
    echo "$limit" > "$folder/memory.soft_limit_in_bytes"
  else
    folder=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
    mkdir -p "$folder"
    echo "$limit" > "$folder/memory.max"
    echo "$limit" > "$folder/memory.high"
  fi
  exec "$@"
`;

test.each(['session', 'unary'] as const)(
  'large results over %s are refused before the memory is full, nothing crashes, and it recovers by itself',
  async (transport) => {
    const sidecar = await start({ HOLDFAST_MEMORY_BYTES: `${limit}` });
    const clients = Array.from({ length: 4 }, () =>
      connect({ address: sidecar.address, transport }),
    );
    const told = new Map<string, number>();
    const count = (what: string): unknown => told.set(what, (told.get(what) ?? 0) + 1);
    const untilMs = performance.now() + 6_000;
    const work = async (client: (typeof clients)[number]): Promise<void> => {
      while (performance.now() < untilMs) {
        await client
          .database()
          .query("select repeat('x', 15000) from generate_series(1, 1000)")
          .then(
            () => count('OK'),
            (error: unknown) =>
              count(error instanceof HoldfastError ? error.reason : String(error)),
          );
      }
    };
    await Promise.all(clients.flatMap((client) => Array.from({ length: 12 }, () => work(client))));
    expect([...told.keys()].toSorted()).toEqual(['MEMORY_PRESSURE', 'OK']);
    expect(told.get('OK')).toBeGreaterThan(3);
    expect(peakBytes(sidecar) / limit).toBeLessThan(1.1);
    const fromMs = performance.now();
    while (
      (await clients[0]
        ?.database()
        .query('select 1')
        .catch(() => undefined)) === undefined
    ) {
      expect(performance.now() - fromMs).toBeLessThan(3_000);
    }
    for (const client of clients) await client.close();
    await sidecar.stop();
    expect(sidecar.process.exitCode).toBe(0);
    expect(sidecar.output()).not.toContain('"level":"error"');
  },
);
