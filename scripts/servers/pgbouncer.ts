import { execFileSync, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { endProcess, startTethered } from './tethered-process.ts';

/** What to type where there is no PgBouncer. */
export const installPgBouncerLine = 'sudo apt-get update && sudo apt-get install -y pgbouncer';

export interface PgBouncer {
  readonly url: string;
  readonly pid: number;
  readonly version: string;
  stop(): Promise<void>;
}

/** PgBouncer of the system's packages in transaction mode, with as many server connections as the other subjects have. */
export async function startPgBouncer(databaseUrl: string, connections: number): Promise<PgBouncer> {
  const version = versionOf();
  const { hostname, port: serverPort, username, password, pathname } = new URL(databaseUrl);
  const folder = mkdtempSync(join(tmpdir(), 'hf-pgbouncer-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const config = `[databases]
bench = host=${hostname} port=${serverPort} dbname=${pathname.slice(1)} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
auth_type = any
pool_mode = transaction
default_pool_size = ${connections}
max_client_conn = 1000
server_reset_query =
ignore_startup_parameters = extra_float_digits,statement_timeout,idle_in_transaction_session_timeout
server_login_retry = 1
log_connections = 0
log_disconnections = 0
log_stats = 0
so_reuseport = 0
`;
  writeFileSync(join(folder, 'pgbouncer.ini'), config, { mode: 0o644 });
  // It refuses to run as root; nobody else's rights are needed.
  const runAs = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
  const child: ChildProcess = startTethered('pgbouncer', ['-q', join(folder, 'pgbouncer.ini')], {
    env: process.env,
    stdio: ['ignore', 'inherit', 'inherit'],
    deathSignal: 'SIGTERM',
    runAs,
  });
  await reachable(port);
  return {
    url: `postgres://bench@127.0.0.1:${port}/bench`,
    pid: child.pid as number,
    version,
    stop: () => endProcess(child, 'SIGTERM', 2_000),
  };
}

/** Whether this machine has one. */
export function hasPgBouncer(): boolean {
  try {
    versionOf();
    return true;
  } catch {
    return false;
  }
}

function versionOf(): string {
  try {
    return execFileSync('pgbouncer', ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '';
  } catch {
    throw new Error(`there is no PgBouncer; type: ${installPgBouncerLine}`);
  }
}

async function reachable(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await sleep(50);
  }
  throw new Error('PgBouncer does not listen');
}
