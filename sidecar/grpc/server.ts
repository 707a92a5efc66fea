import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import type { PackageDefinition } from '@grpc/proto-loader';
import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { Encoded } from '../../platform/grpc/encoded.ts';
import { serviceOf } from '../../platform/grpc/contract.ts';
import type { StatusEncoder } from '../../platform/grpc/status.ts';
import type { FrameTable } from './frame-table.ts';
import type { OperationTable } from './operation.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { draining, type RequestPath } from './request-path.ts';
import { Session, type SessionLimits } from './session.ts';
import type { SessionStream } from './session-writer.ts';
import { requireToken } from './token.ts';
import { conversationHandler, streamHandler, unaryHandler } from './transports.ts';

export interface ServerParts {
  readonly contract: PackageDefinition;
  /** What server reflection shows. */
  readonly reflected: PackageDefinition;
  readonly operations: OperationTable;
  readonly frames: FrameTable;
  readonly path: RequestPath;
  readonly statuses: StatusEncoder;
  readonly metrics: RequestMetrics;
  readonly limits: SessionLimits;
  readonly clock: Clock;
  readonly version: string;
}

export interface GrpcServer {
  readonly server: Server;
  /** Says by gRPC health and in every session that no new calls are taken, which have so many ms left. */
  drain(graceMs: number): void;
  /** Ends sessions and takes no new connections; resolves when every client has its last answer. */
  end(): Promise<void>;
}

/** How long a session has to close by itself when there is nothing more to wait for. */
const lingerMs = 200;

/** The gRPC server with every operation, sessions, health and reflection; not bound to an address yet. With a token, all but health asks for it. */
export function makeServer(parts: ServerParts, token?: string): GrpcServer {
  const { contract, operations, limits } = parts;
  const server = new Server({
    'grpc.max_receive_message_length': limits.maxMessageBytes,
    'grpc.max_send_message_length': limits.maxMessageBytes,
    'grpc.max_concurrent_streams': 100_000,
    interceptors: token === undefined ? [] : [requireToken(token, parts.statuses)],
  });
  for (const [name, handlers] of handlersByService(operations, parts)) {
    server.addService(sendingEncoded(serviceOf(contract, name)), handlers);
  }
  const sessions = new Set<Session>();
  server.addService(asBytes(serviceOf(contract, 'Session')), {
    Open: (stream: SessionStream) => {
      if (parts.path.draining) {
        stream.emit('error', parts.statuses.trailer(draining()));
        return;
      }
      parts.metrics.sessions.inc();
      const session = new Session(stream, { ...parts, table: parts.frames });
      sessions.add(session);
      session.scope.onClose(() => {
        sessions.delete(session);
        parts.metrics.sessions.dec();
      });
    },
  });
  const health = new HealthImplementation({ '': 'SERVING' });
  health.addToServer(server);
  new ReflectionService(parts.reflected).addToServer(server);
  const drain = (graceMs: number): void => {
    health.setStatus('', 'NOT_SERVING');
    for (const session of sessions) session.drain(graceMs);
  };
  const end = async (): Promise<void> => {
    // Whoever heeds what it was told closes by itself; what the others sent meanwhile is refused, and not lost.
    const untilMs = parts.clock.now() + lingerMs;
    while (sessions.size > 0 && parts.clock.now() < untilMs) await parts.clock.sleep(10);
    for (const session of sessions) session.end();
    await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  };
  return { server, drain, end };
}

/** Binds to `address` (`host:port` or `unix:path`); resolves with the port. Rejects with what to do about it. */
export function bind(server: Server, address: string, setting: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (cause, port) => {
      if (cause === null) return resolve(port);
      const message = `cannot listen on ${address}: another process may; set ${setting} to something else`;
      return reject(new HoldfastError('already-exists', 'INVALID_REQUEST', message, { cause }));
    });
  });
}

function handlersByService(
  operations: OperationTable,
  parts: ServerParts,
): Map<string, UntypedServiceImplementation> {
  const services = new Map<string, UntypedServiceImplementation>();
  const add = (name: string, handler: UntypedServiceImplementation[string]): void => {
    const [service = '', method = ''] = name.split('.');
    const handlers = services.get(service) ?? {};
    handlers[method] = handler;
    services.set(service, handlers);
  };
  for (const operation of operations.unary) {
    if (!isUnaryMethod(parts.contract, operation.name)) continue;
    add(operation.name, unaryHandler(operation, parts));
  }
  for (const operation of operations.streams) add(operation.name, streamHandler(operation, parts));
  for (const operation of operations.conversations) {
    add(operation.name, conversationHandler(operation, parts));
  }
  return services;
}

/** Some operations exist only as frames: Begin, Commit … */
function isUnaryMethod(contract: PackageDefinition, name: string): boolean {
  const [service = '', method = ''] = name.split('.');
  return method in serviceOf(contract, service);
}

/** Lets handlers answer with bytes that are encoded already. */
function sendingEncoded(service: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => [
      name,
      {
        ...method,
        responseSerialize: (response: unknown) =>
          response instanceof Encoded
            ? asBuffer(response.whole)
            : method.responseSerialize(response),
      },
    ]),
  );
}

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

const same = <T>(value: T): T => value;

/** Sessions encode and decode by themselves. */
function asBytes(service: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => [
      name,
      { ...method, requestDeserialize: same<Buffer>, responseSerialize: same<Buffer> },
    ]),
  );
}
