import type { ServerSettings } from './config.ts';
import { bind, type GrpcServer, makeServer, type ServerParts } from './grpc/server.ts';
import { bindSocket } from './grpc/unix-socket.ts';

export interface Listeners {
  /** One or two. */
  readonly all: readonly GrpcServer[];
  /** Port of the TCP listener; undefined without one. */
  readonly port: number | undefined;
}

/** Serves gRPC on the Unix socket and on TCP, whichever the settings name. Rejects with what to do when one cannot be had. */
export async function listen(
  { socket, socketMode, tcp }: Pick<ServerSettings, 'socket' | 'socketMode' | 'tcp'>,
  parts: ServerParts,
): Promise<Listeners> {
  const all: GrpcServer[] = [];
  let port: number | undefined;
  try {
    if (socket !== undefined) {
      const listener = makeServer(parts);
      all.push(listener);
      await bindSocket(listener.server, socket, socketMode);
    }
    if (tcp !== undefined) {
      const listener = makeServer(parts, tcp.token);
      all.push(listener);
      const host = tcp.host.includes(':') ? `[${tcp.host}]` : tcp.host;
      port = await bind(listener.server, `${host}:${tcp.port}`, 'HOLDFAST_PORT');
    }
  } catch (error) {
    for (const { server } of all) server.forceShutdown();
    throw error;
  }
  return { all, port };
}
