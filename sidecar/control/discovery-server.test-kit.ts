import { createHash } from 'node:crypto';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  status,
} from '@grpc/grpc-js';
import type { ControllerMessage } from '../../platform/gen/holdfast/control/v1/ControllerMessage.ts';
import type { Heartbeat__Output } from '../../platform/gen/holdfast/control/v1/Heartbeat.ts';
import type { Hello__Output } from '../../platform/gen/holdfast/control/v1/Hello.ts';
import type { PolicyReport__Output } from '../../platform/gen/holdfast/control/v1/PolicyReport.ts';
import type { PolicySnapshot } from '../../platform/gen/holdfast/control/v1/PolicySnapshot.ts';
import type { SidecarMessage__Output } from '../../platform/gen/holdfast/control/v1/SidecarMessage.ts';
import { discoveryService } from '../../platform/grpc/contract.ts';
import { certificate, privateKey } from '../redis/tls-certificate.test-kit.ts';

/** One stream of a sidecar, as the controller sees it. */
export interface TestStream {
  readonly hello: Hello__Output;
  send(message: ControllerMessage): void;
  /** Ends it as a controller that goes. */
  end(): void;
}

interface KitOptions {
  readonly port?: number;
  readonly key?: string;
  readonly certificate?: string;
}

/** A controller that speaks the protocol, without a cluster behind it. */
export class TestController {
  /** Who may come. */
  readonly tokens = new Set(['token-1']);
  /** Of all streams, in order. */
  readonly hellos: Hello__Output[] = [];
  readonly reports: PolicyReport__Output[] = [];
  readonly heartbeats: Heartbeat__Output[] = [];
  /** Times of attempts to open a stream, refused ones too. */
  readonly attemptsAtMs: number[] = [];
  readonly streams = new Set<TestStream>();
  /** Answers a heartbeat, if it does. */
  onHeartbeat: (heartbeat: Heartbeat__Output, stream: TestStream) => void = () => {};
  /** What each stream is told first, beside the snapshot. */
  greeting: readonly ControllerMessage[] = [];
  readonly #server = new Server();
  #snapshot: PolicySnapshot | undefined;
  #port = 0;

  static async start({ port = 0, ...pair }: KitOptions = {}): Promise<TestController> {
    const controller = new TestController();
    const server = controller.#server;
    server.addService(discoveryService(), {
      Connect: (call: ServerDuplexStream<SidecarMessage__Output, ControllerMessage>) =>
        controller.#connect(call),
    });
    const keyPair = {
      private_key: Buffer.from(pair.key ?? privateKey),
      cert_chain: Buffer.from(pair.certificate ?? certificate),
    };
    const secured = ServerCredentials.createSsl(null, [keyPair]);
    controller.#port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${port}`, secured, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return controller;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** The policies from now on; the result is their version. */
  push(policies: readonly object[]): string {
    this.#snapshot = snapshotOf(policies);
    for (const stream of this.streams) stream.send({ policy: this.#snapshot });
    return this.#snapshot.version ?? '';
  }

  /** Of all streams, at once. */
  stop(): void {
    this.#server.forceShutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve(this.stop());
  }

  #connect(call: ServerDuplexStream<SidecarMessage__Output, ControllerMessage>): void {
    this.attemptsAtMs.push(performance.now());
    const [token] = call.metadata.get('authorization');
    if (!this.tokens.has(String(token).replace('Bearer ', ''))) {
      call.emit('error', {
        code: status.UNAUTHENTICATED,
        details: 'no such token',
        metadata: new Metadata(),
      });
      return;
    }
    let stream: TestStream | undefined;
    const over = (): void => void (stream && this.streams.delete(stream));
    call.on('error', over);
    call.on('cancelled', over);
    call.on('end', () => {
      over();
      call.end();
    });
    call.on('data', ({ hello, report, heartbeat }: SidecarMessage__Output) => {
      if (report) this.reports.push(report);
      if (heartbeat) this.heartbeats.push(heartbeat);
      if (heartbeat && stream) this.onHeartbeat(heartbeat, stream);
      if (!hello) return;
      stream = { hello, send: (message) => call.write(message), end: () => call.end() };
      this.hellos.push(hello);
      this.streams.add(stream);
      for (const message of this.greeting) stream.send(message);
      const isNews = this.#snapshot !== undefined && this.#snapshot.version !== hello.policyVersion;
      if (isNews) stream.send({ policy: this.#snapshot ?? null });
    });
  }
}

/** Policies by name and spec, as the controller sends them. */
export function snapshotOf(policies: readonly object[]): PolicySnapshot {
  const sent = policies.map((spec, nth) => {
    const metadata = { name: `policy-${nth}`, namespace: 'apps' };
    const manifest = {
      apiVersion: 'resilience.holdfast.dev/v1alpha1',
      kind: 'ResiliencePolicy',
      metadata,
      spec,
    };
    return { ...metadata, uid: `uid-${nth}`, generation: 1, manifest: JSON.stringify(manifest) };
  });
  const version = createHash('sha256').update(JSON.stringify(sent)).digest('hex');
  return { version, policies: sent };
}
