import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Holdfast, HoldfastError } from '../clients/typescript/index.ts';
import { filesLimitCommand } from '../scripts/faults/process-faults.ts';
import { type SidecarProcess, startSidecarProcess } from '../scripts/servers/sidecar.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';

/** A machine that has no file descriptor and no disk left for the sidecar. */

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

const openFiles = ({ pid }: SidecarProcess): number => readdirSync(`/proc/${pid}/fd`).length;
/** Time that it has had a processor, in ms. */
function usedMs({ pid }: SidecarProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) * 10;
}
const limitFiles = (sidecar: SidecarProcess, files: number): void => {
  const [command, ...args] = filesLimitCommand(sidecar.pid, files);
  execFileSync(command, args);
};
const outcome = (holdfast: Holdfast, sql = 'select 1'): Promise<string> =>
  holdfast
    .database()
    .query(sql)
    .then(
      () => 'OK',
      (error: unknown) => (error instanceof HoldfastError ? error.reason : String(error)),
    );

test.each(['kept', 'full'] as const)(
  'row "disk full, fd or memory pressure": without file descriptors new connections wait or are refused, old ones work, and all is well when there are some again (log: %s)',
  async (output) => {
    const sidecar = await startSidecarProcess(
      {
        DATABASE_URL: database.url,
        REDIS_URL: 'off',
        HOLDFAST_GRACE_MS: '2000',
        HOLDFAST_LOG_LEVEL: 'trace',
      },
      { output },
    );
    const client = (deadlineMs = 1_000) => connect({ address: sidecar.address, deadlineMs });
    const first = client();
    expect(await outcome(first)).toBe('OK');
    limitFiles(sidecar, openFiles(sidecar) + 4);
    const usedBeforeMs = usedMs(sidecar);
    const others = Array.from({ length: 25 }, () => client());
    const told = await Promise.all(others.map((each) => outcome(each)));
    expect(new Set(told)).toEqual(new Set(['OK', 'SIDECAR_UNAVAILABLE']));
    // It does not spin.
    expect(usedMs(sidecar) - usedBeforeMs).toBeLessThan(500);
    expect(await outcome(first)).toBe('OK');
    // More connections to the database cannot be had: callers share those that there are.
    const slow = Array.from({ length: 6 }, () => outcome(first, 'select pg_sleep(0.05)'));
    expect(new Set(await Promise.all(slow))).toEqual(new Set(['OK']));
    expect(await sidecar.metrics().catch(() => 'no connection')).not.toBe('');
    limitFiles(sidecar, 1_000);
    const late = client(5_000);
    const again = [late, ...others.slice(0, 5)].map((each) => outcome(each));
    expect(await Promise.all(again)).toEqual(again.map(() => 'OK'));
    for (const each of [first, late, ...others]) await each.close();
    await sidecar.stop();
    expect(sidecar.process.exitCode).toBe(0);
    expect(sidecar.output()).not.toContain('nobody foresaw');
  },
);
