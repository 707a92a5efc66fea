import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endProcess } from '../scripts/servers/tethered-process.ts';

export interface GrpcEcho {
  readonly address: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** A server that does nothing but gRPC. */
export async function startGrpcEcho(): Promise<GrpcEcho> {
  const folder = mkdtempSync(join(tmpdir(), 'hf-echo-'));
  const address = `unix:${join(folder, 's.sock')}`;
  const script = fileURLToPath(new URL('subjects/grpc-echo-server.ts', import.meta.url));
  const child = fork(script, [address]);
  await once(child, 'message');
  return {
    address,
    pid: child.pid as number,
    stop: async () => {
      await endProcess(child, 'SIGTERM', 2_000);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
