import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { systemClock, type Clock } from '../../platform/clock.ts';
import type { Grant } from '../../platform/gen/holdfast/control/v1/Grant.ts';
import type { Heartbeat__Output } from '../../platform/gen/holdfast/control/v1/Heartbeat.ts';
import { makeLogger } from '../../platform/logger.ts';
import type { Review } from './authentication.ts';
import type { Snapshot } from './discovery-codec.ts';
import { discoveryMetrics } from './discovery-metrics.ts';
import { DiscoveryServer } from './discovery-server.ts';
import { Fleet, type FleetChange, type Sidecar } from './fleet.ts';
import type { ServingCertificate } from './rotating-credentials.ts';
import type { Leader } from './sidecar-stream.ts';
import { SidecarClient } from './sidecar-client.test-kit.ts';

export const tlsName = 'holdfast-controller.holdfast-system.svc';

const made = new Map<string, ServingCertificate>();

/** A certificate that is its own authority, with a key of its own; the same for the same name. It lasts a day. */
export function testCertificate(name: string): ServingCertificate {
  const known = made.get(name);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), 'hf-tls-'));
  try {
    const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout k.pem';
    const names = `-subj /CN=${name} -addext subjectAltName=DNS:${tlsName}`;
    const line = `req -x509 ${key} -out c.pem -days 1 ${names}`;
    execFileSync('openssl', line.split(' '), { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
    const certificate = read('c.pem');
    const fresh = { certificate, key: read('k.pem'), authorities: certificate };
    made.set(name, fresh);
    return fresh;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A snapshot of one policy; `size` is letters of its manifest. */
export const snapshot = (version: string, size = 10): Snapshot => ({
  version,
  policies: [
    { namespace: 'shop', name: 'orders', uid: 'u1', generation: 1, manifest: 'x'.repeat(size) },
  ],
});

/** The rest of the controller, as a test wants it: whatever is set here is what the server sees. */
export class TestBed {
  readonly fleet = new Fleet();
  readonly registry = new Registry();
  readonly changes: FleetChange[] = [];
  readonly heartbeats: { readonly sidecar: Sidecar; readonly heartbeat: Heartbeat__Output }[] = [];
  /** By pod uid; `*` is for all others. */
  readonly snapshots = new Map<string, Snapshot>();
  /** Tokens that were reviewed. A token `namespace.pod` is good; the uid is `uid-pod`. */
  readonly reviewed: string[] = [];
  readonly server: DiscoveryServer;
  review: (token: string) => Promise<Review> = (token) => Promise.resolve(reviewed(token));
  grant: (sidecar: Sidecar, heartbeat: Heartbeat__Output) => Grant | undefined = () => undefined;
  leader: Leader | undefined;
  asked = 0;
  port = 0;
  readonly #listeners = new Set<() => void>();
  readonly #certificates = {
    // Without authorities nobody is sent any.
    current: { ...testCertificate('first'), authorities: undefined } as ServingCertificate,
    onChange: (listener: () => void) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
  };

  constructor(clock: Clock) {
    this.fleet.onChange((change) => this.changes.push(change));
    this.server = new DiscoveryServer({
      clock,
      random: () => 0.1,
      log: makeLogger('silent', 'test'),
      metrics: discoveryMetrics(this.registry, () => this.fleet.size),
      fleet: this.fleet,
      certificates: this.#certificates,
      review: (token) => {
        this.reviewed.push(token);
        return this.review(token);
      },
      snapshotOf: (podUid) => {
        this.asked += 1;
        return this.snapshots.get(podUid) ?? this.snapshots.get('*');
      },
      onHeartbeat: (sidecar, heartbeat) => {
        this.heartbeats.push({ sidecar, heartbeat });
        return this.grant(sidecar, heartbeat);
      },
      leader: () => this.leader,
    });
  }

  rotate(next: ServingCertificate): void {
    this.#certificates.current = next;
    for (const listener of this.#listeners) listener();
  }

  /** A stream with a connection of its own; it says nothing by itself. Ends with the test. */
  client(
    token: string,
    { authorities = testCertificate('first').authorities, port = this.port } = {},
  ): SidecarClient {
    const client = new SidecarClient({ port, tlsName, authorities, token });
    onTestFinished(() => client.close());
    return client;
  }

  /** A sidecar that has said Hello. */
  async join(pod: string, boot = 1, policyVersion = ''): Promise<SidecarClient> {
    const client = this.client(`shop.${pod}`);
    client.send({ hello: { boot, version: '1.2.3', policyVersion } });
    await client.until(() => this.fleet.sidecar(`uid-${pod}`)?.boot === String(boot));
    return client;
  }

  /** Value of a metric without labels; of a histogram with `_count` behind its name. */
  async metric(name: string): Promise<number> {
    const lines = (await this.registry.metrics()).split('\n');
    const line = lines.find((each) => each.startsWith(`holdfast_controller_${name} `));
    return Number(line?.split(' ')[1]);
  }
}

function reviewed(token: string): Review {
  const [namespace = '', podName = ''] = token.split('.');
  if (podName === '') return { refused: 'invalid' };
  return { pod: { namespace, podName, podUid: `uid-${podName}` } };
}

/** A server on loopback, over TLS. Stops with the test. */
export async function startTestBed(clock: Clock = systemClock): Promise<TestBed> {
  const bed = new TestBed(clock);
  bed.port = await bed.server.listen('127.0.0.1', 0);
  let stopped: Promise<void> | undefined;
  const stop = bed.server.stop.bind(bed.server);
  bed.server.stop = () => (stopped ??= stop());
  onTestFinished(() => bed.server.stop());
  return bed;
}
