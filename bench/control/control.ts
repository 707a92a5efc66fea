import { machineOf, writeFigures } from '../report.ts';
import type { RunOptions } from '../rounds.ts';
import { benchAllocation } from './allocation.ts';
import { benchPush } from './push.ts';
import { benchReconcile } from './reconcile.ts';

const conditions = {
  push: 'one controller process, all simulated sidecars in another, TLS 1.3 on loopback; one of three policies changes, the snapshot is some 5 KB; each sidecar sends a heartbeat a second and gets a grant',
  reconcile:
    'ten pods to a policy, all connected; policies of 1 KB, ten to a namespace, or all in one; nothing is written to a cluster',
  allocation: 'one division among pods that ask for twice of what there is',
};

/** What the control plane costs: pushes to many sidecars, reconciliation, and the division of a budget. */
export async function benchControl({ rounds, seconds, only }: RunOptions, file?: string) {
  const wants = (part: string): boolean => only?.includes(part) ?? true;
  const allocation = wants('allocation') ? benchAllocation() : [];
  const reconcile = wants('reconcile') ? await benchReconcile() : [];
  const push = wants('push') ? await benchPush(rounds, seconds) : [];
  for (const [name, value] of Object.entries(conditions)) console.log(`${name}: ${value}`);
  print(push);
  print(reconcile);
  print(allocation);
  if (file === undefined) return;
  const machine = machineOf(conditions);
  const tables = { push, reconcile, allocation };
  const figures = Object.entries(tables).map(([name, rows]) => [name, rows.map(rounded)] as const);
  writeFigures({ bench: 'control', machine, ...Object.fromEntries(figures) }, file);
}

function print(rows: readonly object[]): void {
  const [first] = rows;
  if (first === undefined) return;
  console.log(`\n${Object.keys(first).join(' | ')}`);
  for (const row of rows) console.log(Object.values(rounded(row)).join(' | '));
}

const rounded = (row: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'number' ? Math.round(value * 100) / 100 : value,
    ]),
  );
