import { chmodSync, existsSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { HoldfastError } from '../../platform/errors.ts';

/** Makes room for a socket: its folder, and no stale socket of a sidecar that was killed. Refuses to take over from one that lives. */
export async function prepareSocketPath(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  if (!existsSync(path)) return;
  if (!lstatSync(path).isSocket()) throw inTheWay(`${path} exists and is not a socket`);
  if (await answers(path)) throw inTheWay(`another process serves ${path}`);
  unlinkSync(path);
}

/** Only the owner and the group can connect. In a pod the mount decides who can reach the socket at all. */
export function restrictSocket(path: string): void {
  chmodSync(path, 0o660);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

const inTheWay = (what: string): HoldfastError =>
  new HoldfastError(
    'already-exists',
    'INVALID_REQUEST',
    `${what}; set HOLDFAST_SOCKET to another path, or stop it`,
  );
