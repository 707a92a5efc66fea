import {
  Client,
  credentials,
  Metadata,
  status,
  type ClientDuplexStream,
  type StatusObject,
} from '@grpc/grpc-js';
import { systemClock } from '../../platform/clock.ts';
import type { ControllerMessage__Output } from '../../platform/gen/holdfast/control/v1/ControllerMessage.ts';
import type { SidecarMessage } from '../../platform/gen/holdfast/control/v1/SidecarMessage.ts';
import { discoveryService } from '../../platform/grpc/contract.ts';

const { Connect } = discoveryService();
if (Connect === undefined) throw new Error('the proto has no Discovery.Connect');
const { path, requestSerialize, responseDeserialize } = Connect;
const large = 64 * 1024 * 1024;

interface ClientOptions {
  readonly port: number;
  readonly tlsName: string;
  /** PEM; undefined = those of the system. */
  readonly authorities: string | undefined;
  /** Undefined = none is sent. */
  readonly token: string | undefined;
}

/** The bytes of a message of the sidecar. */
export const encodeMessage = (message: SidecarMessage): Buffer => requestSerialize(message);

/** One stream without any cleverness, on a connection of its own: what goes out is what the test says, what comes in is kept. */
export class SidecarClient {
  readonly messages: ControllerMessage__Output[] = [];
  /** How the stream ended. */
  readonly ended: Promise<StatusObject>;
  readonly stream: ClientDuplexStream<Buffer, ControllerMessage__Output>;
  onMessage: (message: ControllerMessage__Output) => void = () => undefined;
  readonly #client: Client;

  constructor({ port, tlsName, authorities, token }: ClientOptions) {
    const roots = authorities === undefined ? null : Buffer.from(authorities);
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createSsl(roots), {
      'grpc.ssl_target_name_override': tlsName,
      'grpc.default_authority': tlsName,
      'grpc.max_receive_message_length': large,
      'grpc.max_send_message_length': large,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
    });
    const metadata = new Metadata();
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
    this.stream = this.#client.makeBidiStreamRequest(
      path,
      (bytes: Buffer) => bytes,
      responseDeserialize as (bytes: Buffer) => ControllerMessage__Output,
      metadata,
    );
    this.ended = new Promise((resolve) => this.stream.once('status', resolve));
    this.stream.on('error', () => undefined); // is a status, too
    this.stream.on('data', (message: ControllerMessage__Output) => {
      this.messages.push(message);
      this.onMessage(message);
    });
  }

  send(message: SidecarMessage): void {
    this.sendBytes(encodeMessage(message));
  }

  sendBytes(bytes: Buffer): void {
    this.stream.write(bytes);
  }

  /** `UNAVAILABLE: …` when the stream has ended. */
  async status(): Promise<string> {
    const { code, details } = await this.ended;
    return `${status[code]}: ${details}`;
  }

  /** Versions of the snapshots that came. */
  get versions(): string[] {
    return this.messages.flatMap(({ policy }) => (policy ? [policy.version] : []));
  }

  /** Resolves when the condition holds; rejects after 5 s. */
  async until(holds: () => boolean): Promise<void> {
    const endMs = systemClock.now() + 5_000;
    while (!holds()) {
      if (systemClock.now() > endMs) throw new Error(`not so within 5 s: ${holds.toString()}`);
      await systemClock.sleep(2);
    }
  }

  close(): void {
    this.stream.cancel();
    this.#client.close();
  }
}
