import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { connect, type ConnectTarget, type ServerRole } from './connect.ts';
import type { Connection } from './connection.ts';
import { freePermit, type SessionPermit } from './session-budget.ts';

/** Which servers will do, as libpq's `target_session_attrs` says it. */
export type SessionAttributes = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby';

export interface HostsTarget extends Omit<ConnectTarget, 'host' | 'port' | 'expectsWrites'> {
  /** At least one. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly targetSessionAttrs: SessionAttributes;
}

/** Connects to the first host, in order, that answers and will do. Rejects with what the last one said. */
export async function connectToHosts(
  { hosts, targetSessionAttrs, ...where }: HostsTarget,
  clock: Clock,
  permit: SessionPermit = freePermit,
): Promise<Connection> {
  const expectsWrites = targetSessionAttrs === 'read-write' || targetSessionAttrs === 'primary';
  let failure: unknown;
  for (const host of hosts) {
    try {
      const { connection, role } = await connect(
        { ...where, ...host, expectsWrites },
        clock,
        permit,
      );
      if (suits(role, targetSessionAttrs)) return connection;
      connection.close();
      // Its session counts until it is gone.
      await connection.closed;
      failure = unsuitable(where.pool, targetSessionAttrs);
    } catch (thrown) {
      failure = thrown;
    }
  }
  throw failure;
}

function suits({ standby, readOnly }: ServerRole, wanted: SessionAttributes): boolean {
  switch (wanted) {
    case 'any':
      return true;
    case 'primary':
      return !standby;
    case 'standby':
      return standby;
    case 'read-write':
      return !standby && !readOnly;
    case 'read-only':
      return standby || readOnly;
    default:
      return wanted satisfies never;
  }
}

const unsuitable = (pool: string, wanted: SessionAttributes): HoldfastError =>
  new HoldfastError(
    'unavailable',
    'DATABASE_UNAVAILABLE',
    `no host of pool "${pool}" is ${wanted} (target_session_attrs of its URL)`,
    { target: pool },
  );
