import { existsSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { Server } from '@grpc/grpc-js';
import { HoldfastError } from '../../platform/errors.ts';
import { bind } from './server.ts';

/**
 * Serves on a Unix socket with these permissions (0o660: its owner and group can open it). Makes its folder where there is none, takes the place of
 * the socket of a sidecar that was killed, and never that of one that lives.
 */
export async function bindSocket(server: Server, path: string, mode: number): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  if (existsSync(path)) {
    if (!lstatSync(path).isSocket()) throw inTheWay(`${path} exists and is not a socket`);
    await expectStale(path);
    unlinkSync(path);
  }
  // Not chmod after it is there: for a moment anybody could connect.
  const before = process.umask(0o777 & ~mode);
  try {
    await bind(server, `unix:${path}`, 'HOLDFAST_SOCKET');
  } finally {
    process.umask(before);
  }
}

/** Only a socket that refuses connections is nobody's: a process that hangs, or belongs to somebody else, may still serve it. */
function expectStale(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      reject(inTheWay(`another process serves ${path}`));
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve();
      else reject(inTheWay(`another process may serve ${path} (${code})`));
    });
  });
}

const inTheWay = (what: string): HoldfastError =>
  new HoldfastError(
    'already-exists',
    'INVALID_REQUEST',
    `${what}; set HOLDFAST_SOCKET to another path, or stop it`,
  );
