import { createPrivateKey, createSign } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, credentials, makeClientConstructor } from '@grpc/grpc-js';
import { connect, type Holdfast } from '../../clients/typescript/index.ts';
import type { PoliciesClient } from '../../platform/gen/holdfast/v1/Policies.ts';
import type { PolicyState__Output } from '../../platform/gen/holdfast/v1/PolicyState.ts';
import { loadContract, serviceOf } from '../../platform/grpc/contract.ts';
import { type SidecarProcess, startSidecarProcess } from '../../scripts/servers/sidecar.ts';
import { temporaryFolder } from '../../scripts/servers/temporary-folder.ts';
import { appNamespace, type ClusterBed, controllerName } from './cluster-bed.test-kit.ts';

const PoliciesConstructor = makeClientConstructor(
  serviceOf(loadContract(), 'Policies'),
  'Policies',
) as unknown as new (...args: ConstructorParameters<typeof Client>) => PoliciesClient;

export interface PodOptions {
  readonly labels?: Readonly<Record<string, string>>;
  /** Texts by `<secret>/<key>`. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** A Pod of the API server whose sidecar is a process of the test; its folder is what the pod's volumes are. */
export class TestPod {
  readonly name: string;
  readonly uid: string;
  readonly #bed: ClusterBed;
  readonly #env: Readonly<Record<string, string>>;
  readonly #folder = temporaryFolder('p');
  readonly #policies: PoliciesClient;
  #sidecar: SidecarProcess | undefined;
  /** Of the application: it outlives the sidecar. */
  readonly holdfast: Holdfast;

  private constructor(bed: ClusterBed, name: string, uid: string, options: PodOptions) {
    this.name = name;
    this.uid = uid;
    this.#bed = bed;
    this.#env = options.env ?? {};
    for (const folder of ['state', 'secrets']) mkdirSync(join(this.#folder, folder));
    for (const [path, text] of Object.entries(options.secrets ?? {})) this.mount(path, text);
    const address = `unix:${join(this.#folder, 's.sock')}`;
    this.#policies = new PoliciesConstructor(address, credentials.createInsecure());
    this.holdfast = connect({ address });
  }

  /** Makes the Pod, and a token for it; the sidecar does not run yet. */
  static async create(bed: ClusterBed, name: string, options: PodOptions = {}): Promise<TestPod> {
    const { labels = { app: 'shop' } } = options;
    const { metadata } = await bed.must<{ metadata: { uid: string } }>('POST', podsPath, {
      metadata: { name, labels: { 'holdfast.dev/inject': 'true', ...labels } },
      spec: {
        serviceAccountName: 'shop',
        automountServiceAccountToken: false,
        containers: [{ name: 'app', image: 'app' }],
      },
    });
    const pod = new TestPod(bed, name, metadata.uid, options);
    pod.setToken(await pod.token());
    return pod;
  }

  /** A token of the pod, as its projected volume has it. */
  async token(audience = 'holdfast-controller'): Promise<string> {
    const path = `/api/v1/namespaces/${appNamespace}/serviceaccounts/shop/token`;
    const { status } = await this.#bed.must<{ status: { token: string } }>('POST', path, {
      spec: {
        audiences: [audience],
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: this.name, uid: this.uid },
      },
    });
    return status.token;
  }

  setToken(token: string): void {
    writeWhole(join(this.#folder, 'token'), token);
  }

  /** Mounts a key of a secret. */
  mount(path: string, text: string): void {
    const file = join(this.#folder, 'secrets', path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeWhole(file, text);
  }

  /** Starts the sidecar, again perhaps, and resolves when it is ready. */
  async start(): Promise<this> {
    this.#sidecar = await startSidecarProcess(
      {
        HOLDFAST_STATE_DIR: join(this.#folder, 'state'),
        HOLDFAST_CONTROLLER: this.#bed.service.address,
        HOLDFAST_CONTROLLER_CA: this.#bed.ca,
        HOLDFAST_CONTROLLER_NAME: controllerName,
        HOLDFAST_CONTROLLER_TOKEN_FILE: join(this.#folder, 'token'),
        HOLDFAST_LOG_LEVEL: 'fatal',
        ...this.#env,
      },
      { folder: this.#folder },
    );
    return this;
  }

  get sidecar(): SidecarProcess {
    if (this.#sidecar === undefined) throw new Error(`pod ${this.name} was not started`);
    return this.#sidecar;
  }

  /** Policies.Inspect, on a connection that stays. */
  inspect(): Promise<PolicyState__Output> {
    return new Promise((resolve, reject) => {
      this.#policies.inspect({}, (error, state) =>
        state === undefined ? reject(error ?? new Error('no state')) : resolve(state),
      );
    });
  }

  /** In force for a target; undefined when there is no such target. */
  async limitOf(target: string): Promise<number | undefined> {
    const { targets } = await this.inspect();
    return targets.find(({ name }) => name === target)?.limit;
  }

  /** SIGKILL; resolves when it is gone. Its folder stays. */
  async kill(): Promise<void> {
    this.sidecar.process.kill('SIGKILL');
    await this.sidecar.exited;
  }

  /** Deletes the Pod of the API server. */
  async remove(): Promise<void> {
    await this.#bed.must('DELETE', `${podsPath}/${this.name}?gracePeriodSeconds=0`);
  }

  /** SIGTERM, and away with all it had but the Pod. */
  async close(): Promise<void> {
    await this.holdfast.close();
    this.#policies.close();
    await this.#sidecar?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export const podsPath = `/api/v1/namespaces/${appNamespace}/pods`;

/** Nobody reads half of it. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** A token with other claims, signed by the cluster's own key, or by another. */
export function resigned(token: string, claims: object, keyFile: string): string {
  const [header = '', payload = ''] = token.split('.');
  const before = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  const after = Buffer.from(JSON.stringify({ ...before, ...claims })).toString('base64url');
  const key = createPrivateKey(readFileSync(keyFile));
  const signature = createSign('RSA-SHA256').update(`${header}.${after}`).sign(key, 'base64url');
  return `${header}.${after}.${signature}`;
}
