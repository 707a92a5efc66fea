import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { issueAuthority, issueLeaf } from '../../controller/certificates/issue.ts';
import { endProcess } from '../../scripts/servers/tethered-process.ts';
import { median } from '../report.ts';
import { serverName } from './messages.ts';
import type { PushTimes, ServerAnswers, ServerOrder, SidecarsOrder } from './messages.ts';

const sizes = [10, 100, 1_000, 5_000];

export interface PushRow {
  readonly sidecars: number;
  /** From the change to the last acknowledgement: the median of the rounds, and the worst. */
  readonly lastAckMs: number;
  readonly worstMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the controller for one push to one sidecar, its acknowledgement and metrics included. */
  readonly cpuUsPerSidecar: number;
  /** CPU time of the controller in a second in which each sidecar sends a heartbeat and nothing else happens, in ms. */
  readonly idleCpuMsPerSec: number;
  readonly rssMb: number;
}

/** A change of policy pushed to more and more simulated sidecars, which send a heartbeat a second each meanwhile. */
export async function benchPush(rounds: number, seconds: number): Promise<PushRow[]> {
  const authority = await issueAuthority(Date.now());
  const tls = await issueLeaf(authority, [serverName], Date.now());
  const server = await started('control-server');
  const sidecars = await started('control-sidecars');
  const order = async <Name extends ServerOrder['do']>(
    order: ServerOrder & { readonly do: Name },
  ): Promise<ServerAnswers[Name]> => (await ask(server, order)) as ServerAnswers[Name];
  try {
    const { port } = await order({ do: 'start', tls });
    const rows: PushRow[] = [];
    let generation = 1;
    const push = (size: number): Promise<PushTimes> => {
      generation += 1;
      return order({ do: 'push', generation, sidecars: size });
    };
    for (const size of sizes) {
      await ask(sidecars, {
        port,
        authority: authority.certificate,
        sidecars: size,
      } satisfies SidecarsOrder);
      for (let warmUp = 0; warmUp < 3; warmUp += 1) await push(size);

      const before = await order({ do: 'measure' });
      await sleep(seconds * 1_000);
      const after = await order({ do: 'measure' });
      if (after.connected !== size) throw new Error(`${after.connected} of ${size} are connected`);
      const idleCpuMsPerSec = (after.cpuUs - before.cpuUs) / 1_000 / seconds;

      const times: PushTimes[] = [];
      let pushCpuUs = 0;
      for (let round = 0; round < rounds; round += 1) {
        const from = await order({ do: 'measure' });
        times.push(await push(size));
        pushCpuUs += (await order({ do: 'measure' })).cpuUs - from.cpuUs;
        await sleep(100);
      }
      const { rssMb } = await order({ do: 'measure' });
      const row = {
        sidecars: size,
        lastAckMs: median(times.map(({ lastMs }) => lastMs)),
        worstMs: Math.max(...times.map(({ lastMs }) => lastMs)),
        p50Ms: median(times.map(({ p50Ms }) => p50Ms)),
        p99Ms: median(times.map(({ p99Ms }) => p99Ms)),
        cpuUsPerSidecar: pushCpuUs / rounds / size,
        idleCpuMsPerSec,
        rssMb,
      };
      rows.push(row);
      process.stderr.write(`${size} sidecars: ${row.lastAckMs.toFixed(0)} ms\n`);
    }
    return rows;
  } finally {
    await endProcess(sidecars.child, 'SIGTERM', 2_000);
    await endProcess(server.child, 'SIGTERM', 2_000);
  }
}

interface Player {
  readonly child: ChildProcess;
  /** Rejects when the process ends. */
  readonly ended: Promise<never>;
}

async function started(name: string): Promise<Player> {
  const script = fileURLToPath(new URL(`../subjects/${name}.ts`, import.meta.url));
  const child = fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then((): never => {
    throw new Error(`${name} ended`);
  });
  ended.catch(() => undefined); // nobody may be asking
  await Promise.race([once(child, 'message'), ended]);
  return { child, ended };
}

async function ask({ child, ended }: Player, order: ServerOrder | SidecarsOrder): Promise<unknown> {
  const answered = new Promise((resolve) => child.once('message', resolve));
  child.send(order);
  return Promise.race([answered, ended]);
}
