/** Simulated sidecars, thousands in one process: each has a TLS connection of its own, acknowledges its policies, and sends a heartbeat a second. */
import { once } from 'node:events';
import { connect, type ClientHttp2Stream } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { ControllerMessage__Output } from '../../platform/gen/holdfast/control/v1/ControllerMessage.ts';
import type { SidecarMessage } from '../../platform/gen/holdfast/control/v1/SidecarMessage.ts';
import { discoveryService } from '../../platform/grpc/contract.ts';
import { serverName, type SidecarsOrder } from '../control/messages.ts';

/** Handshakes under way. */
const atOnce = 16;
const heartbeatMs = 1_000;

const { Connect: method } = discoveryService();
if (method === undefined) throw new Error('the proto has no Discovery.Connect');
const { path, requestSerialize, responseDeserialize } = method;

/** With the five bytes that gRPC puts before each message. */
function framed(message: SidecarMessage): Buffer {
  const bytes = requestSerialize(message);
  const out = Buffer.alloc(5 + bytes.length);
  out.writeUInt32BE(bytes.length, 1);
  bytes.copy(out, 5);
  return out;
}

/** grpc-js's client would take three times the memory and time: it is the server that is measured. */
async function open(port: number, tls: SecureContext, at: number): Promise<ClientHttp2Stream> {
  const address = `https://127.0.0.1:${port}`;
  const session = connect(address, { secureContext: tls, servername: serverName });
  session.on('error', (error) => {
    throw error;
  });
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization: `Bearer pod-${at}`,
  });
  stream.write(framed({ hello: { boot: 1, version: '0.1.0' } }));
  let rest: Buffer = Buffer.alloc(0);
  const first = once(stream, 'data');
  stream.on('data', (bytes: Buffer) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    while (rest.length >= 5) {
      const end = 5 + rest.readUInt32BE(1);
      if (rest.length < end) return;
      const { policy } = responseDeserialize(rest.subarray(5, end)) as ControllerMessage__Output;
      rest = rest.subarray(end);
      if (policy) stream.write(framed({ report: { version: policy.version } }));
    }
  });
  await first;
  return stream;
}

const streams: ClientHttp2Stream[] = [];
let number = 0;

/** All of them once a second, a twentieth at a time. */
async function beat(): Promise<never> {
  for (let turn = 0; ; turn = (turn + 1) % 20) {
    number += 1;
    const heartbeat = framed({
      heartbeat: { budget: 'main', number, epoch: 1, share: 4, demand: 3, ports: [40_001, 40_002] },
    });
    for (let at = turn; at < streams.length; at += 20) streams[at]?.write(heartbeat);
    await sleep(heartbeatMs / 20);
  }
}

async function connectAll({ port, authority, sidecars }: SidecarsOrder): Promise<void> {
  const tls = createSecureContext({ ca: authority });
  let next = streams.length;
  const lane = async (): Promise<void> => {
    while (next < sidecars) streams.push(await open(port, tls, next++));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

process.on('message', (order: SidecarsOrder) => {
  void connectAll(order).then(() => process.send?.('connected'));
});
process.on('disconnect', () => process.exit(0));
void beat();
process.send?.('ready');
