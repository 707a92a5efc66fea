import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import {
  type ControllerProcess,
  startController,
} from '../../controller/controller-process.test-kit.ts';
import { pathOf, resourceOf, type KubeObject } from '../../controller/kube/resource.ts';
import { budgetDefinition } from '../../crds/budget-definition.ts';
import { policyDefinition } from '../../crds/custom-resource-definition.ts';
import type { PolicyStatus } from '../../crds/policy-status.ts';
import { temporaryFolder } from '../../scripts/servers/temporary-folder.ts';
import { type Binary, binaryPath, controlPlaneBinaries, isBuilt } from '../cluster/binaries.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { KubeApi } from '../cluster/kube-api.ts';
import { kubeconfigText } from '../cluster/kubeconfig.ts';
import { noClusterReason } from '../cluster/test-cluster.ts';
import { openService, type Service } from './service.test-kit.ts';

export const systemNamespace = 'holdfast-system';
/** Of the pods, their policies and service accounts. */
export const appNamespace = 'shop';
/** That the controller's certificate is for. */
export const controllerName = `holdfast-controller.${systemNamespace}.svc`;

const needed: readonly Binary[] = [...controlPlaneBinaries, 'kube-controller-manager'];

/** Why there can be no bed here, for the end of a title; undefined when there can. A cluster that runs pods is no use: these pods are processes of the test. */
export function noBedReason(): string | undefined {
  if (needed.every(isBuilt)) return undefined;
  return (
    noClusterReason(needed) ??
    (process.env['E2E_KUBECONFIG'] === undefined
      ? undefined
      : ' (skipped: takes an API server of its own)')
  );
}

/** A replica of the controller. */
export interface Replica {
  readonly name: string;
  readonly process: ControllerProcess;
  readonly discoveryPort: number;
  /** Text of `/metrics`. */
  metrics(): Promise<string>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** A policy as the API server shows it. */
export interface ShownPolicy {
  readonly metadata: { readonly generation: number; readonly uid: string };
  readonly status?: PolicyStatus;
}

/** An API server, the controller with the rights that the chart gives it, and the Service in front of its replicas. */
export class ClusterBed {
  readonly plane: ControlPlane;
  readonly api: KubeApi;
  readonly service: Service;
  readonly replicas = new Map<string, Replica>();
  readonly #folder = temporaryFolder('fleet');
  #ca = '';

  private constructor(plane: ControlPlane, service: Service) {
    this.plane = plane;
    this.api = new KubeApi(plane.access);
    this.service = service;
  }

  static async open(): Promise<ClusterBed> {
    const plane = await startControlPlane();
    const bed = new ClusterBed(plane, await openService());
    try {
      await bed.#install();
    } catch (error) {
      await bed.close();
      throw error;
    }
    return bed;
  }

  /** PEM of the authorities that sign the controller's certificates. */
  get ca(): string {
    return this.#ca;
  }

  /** Starts a replica, and resolves when it serves; the Service knows it from then on. */
  async startReplica(name: string, env: Readonly<Record<string, string>> = {}): Promise<Replica> {
    const process = startController([], {
      HOLDFAST_CONTROLLER_KUBECONFIG: join(this.#folder, 'controller.kubeconfig'),
      HOLDFAST_CONTROLLER_NAMESPACE: systemNamespace,
      HOLDFAST_CONTROLLER_POD_NAME: name,
      HOLDFAST_CONTROLLER_ADVERTISE_HOST: '127.0.0.1',
      HOLDFAST_CONTROLLER_HTTP_PORT: '0',
      HOLDFAST_CONTROLLER_DISCOVERY_PORT: '0',
      HOLDFAST_CONTROLLER_WEBHOOK_PORT: '0',
      ...env,
    });
    const { discoveryPort, httpPort } = await process.serving().catch(async (error: unknown) => {
      await process.end('SIGKILL');
      throw error;
    });
    const replica: Replica = {
      name,
      process,
      discoveryPort,
      metrics: async () => (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text(),
      kill: async () => {
        this.replicas.delete(name);
        this.#publish();
        await process.end('SIGKILL');
      },
    };
    this.replicas.set(name, replica);
    this.#publish();
    const { body } = await this.api.call(
      'GET',
      `/api/v1/namespaces/${systemNamespace}/secrets/holdfast-controller-tls`,
    );
    const { data = {} } = body as { data?: Record<string, string> };
    this.#ca = Buffer.from(data['ca.crt'] ?? '', 'base64').toString();
    return replica;
  }

  /** The replica that holds the Lease; undefined while that is none of those that run. */
  async leader(): Promise<Replica | undefined> {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${systemNamespace}/leases/holdfast-controller`;
    const { body } = await this.api.call('GET', path);
    const { spec } = body as { spec?: { holderIdentity?: string } };
    return this.replicas.get(spec?.holderIdentity?.split('_')[0] ?? '');
  }

  /** Waits until one leads, and gives that. */
  async leading(limitMs = 20_000): Promise<Replica> {
    return eventually('a replica leads', () => this.leader(), limitMs);
  }

  kubectl(args: readonly string[], input = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        binaryPath('kubectl'),
        [`--kubeconfig=${this.plane.kubeconfig}`, ...args],
        { env: { HOME: this.#folder } },
        (error, stdout, stderr) => (error ? reject(new Error(stderr)) : resolve(stdout)),
      );
      child.stdin?.end(input);
    });
  }

  /** As kubectl applies on the server's side, without the time that a process takes to start. Throws what the API server says against it. */
  apply(object: KubeObject): Promise<ShownPolicy> {
    const { namespace, name } = object.metadata;
    const path = `${pathOf(resourceOf(object), { namespace, name })}?fieldManager=kubectl&force=true`;
    return this.must('PATCH', path, object, 'application/apply-patch+yaml');
  }

  /** Calls the API server as an administrator. Throws what it says against it. */
  async must<Answer = unknown>(
    method: string,
    path: string,
    body?: object,
    contentType?: string,
  ): Promise<Answer> {
    const options = body === undefined ? {} : { body, ...(contentType && { contentType }) };
    const answer = await this.api.call(method, path, options);
    if (answer.status > 202) throw new Error(`${method} ${path}: ${answer.body.message}`);
    return answer.body as Answer;
  }

  policy(name: string): Promise<ShownPolicy> {
    return this.must('GET', policyPath(name));
  }

  async close(): Promise<void> {
    await Promise.all([...this.replicas.values()].map((replica) => replica.kill()));
    await this.service.close();
    this.api.close();
    await this.plane.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #publish(): void {
    this.service.endpoints = [...this.replicas.values()].map(({ discoveryPort }) => discoveryPort);
  }

  /** What `helm install` does, as far as it needs no node. */
  async #install(): Promise<void> {
    for (const name of [systemNamespace, appNamespace]) {
      await this.must('POST', '/api/v1/namespaces', { metadata: { name } });
    }
    const account = { metadata: { name: 'shop' } };
    await this.must('POST', `/api/v1/namespaces/${appNamespace}/serviceaccounts`, account);
    await this.api.establish(policyDefinition());
    await this.api.establish(budgetDefinition());
    await this.kubectl(['apply', '--filename=-'], chartAccess());
    // Owners, namespaces: what a cluster does by itself.
    this.plane.startControllers(['garbage-collector-controller']);
    const path = `/api/v1/namespaces/${systemNamespace}/serviceaccounts/holdfast-controller/token`;
    const request = { spec: { expirationSeconds: 7_200 } };
    const { status } = await this.must<{ status: { token: string } }>('POST', path, request);
    const { url, ca } = this.plane.access;
    writeFileSync(
      join(this.#folder, 'controller.kubeconfig'),
      kubeconfigText({ url, ca, token: status.token }),
      { mode: 0o600 },
    );
  }
}

const accessKinds = ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'];

/** Who the controller is and what it may do, by the chart with its defaults as Helm renders it. */
function chartAccess(): string {
  const golden = new URL('../../charts/holdfast/golden/default.yaml', import.meta.url);
  return parseAllDocuments(readFileSync(fileURLToPath(golden), 'utf8'))
    .filter((document) => accessKinds.includes(String(document.get('kind'))))
    .join('---\n');
}

export const policyPath = (name: string): string =>
  `/apis/resilience.holdfast.dev/v1alpha1/namespaces/${appNamespace}/resiliencepolicies/${name}`;

/** A policy of `spec` in the namespace of the pods. */
export const aPolicy = (name: string, spec: object): KubeObject =>
  ({
    apiVersion: 'resilience.holdfast.dev/v1alpha1',
    kind: 'ResiliencePolicy',
    metadata: { name, namespace: appNamespace },
    spec,
  }) as unknown as KubeObject;

/** Waits until `attempt` gives something that is neither false nor undefined, and gives that. */
export async function eventually<Value>(
  what: string,
  attempt: () => Promise<Value | false | undefined>,
  limitMs = 20_000,
): Promise<Value> {
  const lateAtMs = performance.now() + limitMs;
  for (;;) {
    const value = await attempt();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > lateAtMs) throw new Error(`waited ${limitMs} ms until ${what}`);
    await sleep(25);
  }
}

/** What the status of a policy says of one type. */
export const conditionOf = ({ status }: ShownPolicy, type: string) =>
  status?.conditions?.find((condition) => condition.type === type);
