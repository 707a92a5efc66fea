import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultProxy } from '../../scripts/faults/fault-proxy.ts';
import type { Bed } from './bed.ts';

/** Something that breaks, and is whole again when the promise resolves. */
export interface SoakFault {
  readonly name: string;
  run(bed: Bed, random: () => number): Promise<void>;
}

/** For a second, one answer in ten is lost with its connection. */
async function loseAnswers(proxy: FaultProxy, random: () => number): Promise<void> {
  proxy.rule = ({ from }) => (from === 'server' && random() < 0.1 ? { cut: 'before' } : undefined);
  await sleep(1_000);
  proxy.rule = undefined;
}

async function stall(proxy: FaultProxy, ms: number): Promise<void> {
  proxy.stall();
  await sleep(ms);
  proxy.release();
}

async function pause(server: { pause(): void; resume(): void }, ms: number): Promise<void> {
  server.pause();
  await sleep(ms);
  server.resume();
}

export const faults: readonly SoakFault[] = [
  { name: 'PostgreSQL: connections cut', run: async ({ toPostgres }) => toPostgres.cut() },
  {
    name: 'PostgreSQL: answers lost',
    run: ({ toPostgres }, random) => loseAnswers(toPostgres, random),
  },
  { name: 'PostgreSQL: stalled for 1 s', run: ({ toPostgres }) => stall(toPostgres, 1_000) },
  { name: 'PostgreSQL: paused for 1 s', run: ({ postgres }) => pause(postgres, 1_000) },
  { name: 'PostgreSQL: restarted', run: ({ postgres }) => postgres.restart('fast') },
  { name: 'PostgreSQL: killed and started', run: ({ postgres }) => postgres.restart('kill') },
  { name: 'Redis: connections cut', run: async ({ toRedis }) => toRedis.cut() },
  { name: 'Redis: replies lost', run: ({ toRedis }, random) => loseAnswers(toRedis, random) },
  { name: 'Redis: paused for 2 s', run: ({ redis }) => pause(redis, 2_000) },
  { name: 'Redis: restarted', run: ({ redis }) => redis.restart('fast') },
  { name: 'Redis: killed and started', run: ({ redis }) => redis.restart('kill') },
  {
    name: 'sidecar: stopped and started',
    run: async (bed) => {
      bed.sidecar.process.kill('SIGTERM');
      const code = await bed.sidecar.exited;
      if (code !== 0) throw new Error(`the sidecar ended with ${code} after SIGTERM`);
      await bed.startSidecar();
    },
  },
  {
    name: 'sidecar: killed and started',
    run: async (bed) => {
      const ended = once(bed.sidecar.process, 'exit');
      bed.sidecar.process.kill('SIGKILL');
      await ended;
      await bed.startSidecar();
    },
  },
];
