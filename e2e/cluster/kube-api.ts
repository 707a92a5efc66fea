import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Access } from './kubeconfig.ts';

export interface KubeAnswer {
  readonly status: number;
  readonly body: KubeObject;
}

/** JSON of the API server: an object of a kind, or a Status with what is wrong. */
export interface KubeObject {
  readonly [field: string]: unknown;
  readonly kind?: string;
  readonly message?: string;
  readonly details?: {
    readonly causes?: readonly {
      readonly reason?: string;
      readonly message?: string;
      readonly field?: string;
    }[];
  };
}

interface Options {
  /** JSON, unless it is text. */
  readonly body?: object | string;
  readonly contentType?: string;
  readonly accept?: string;
}

/** Calls the REST API of an API server, over a few connections that stay open. */
export class KubeApi {
  readonly #access: Access;
  readonly #agent: Agent;

  constructor(access: Access) {
    this.#access = access;
    const { ca, cert, key } = access;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 8, ca, cert, key });
  }

  call(method: string, path: string, options: Options = {}): Promise<KubeAnswer> {
    const { body, contentType = 'application/json', accept = 'application/json' } = options;
    const { url, token } = this.#access;
    const headers = {
      accept,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': contentType }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, url),
        { method, headers, agent: this.#agent, timeout: 30_000 },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const json = answer.headers['content-type']?.startsWith('application/json') === true;
            const parsed = json ? (JSON.parse(text) as KubeObject) : { message: text };
            resolve({ status: answer.statusCode ?? 0, body: parsed });
          });
        },
      );
      sent.on('error', reject);
      sent.on('timeout', () => sent.destroy(new Error(`${method} ${path} has no answer`)));
      sent.end(typeof body === 'string' ? body : body && JSON.stringify(body));
    });
  }

  /** Creates or changes a CRD, and waits until its objects can be written. */
  async establish(definition: object): Promise<void> {
    const { metadata, spec } = definition as {
      metadata: { name: string };
      spec: { group: string; names: { plural: string }; versions: { name: string }[] };
    };
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${metadata.name}`;
    const query = 'fieldManager=holdfast-tests&force=true&fieldValidation=Strict';
    const contentType = 'application/apply-patch+yaml';
    const applied = await this.call('PATCH', `${path}?${query}`, { body: definition, contentType });
    if (applied.status > 201) throw new Error(applied.body.message);
    const objects = `/apis/${spec.group}/${spec.versions[0]?.name}/${spec.names.plural}`;
    await this.#until(`${metadata.name} is established`, async () => {
      const { body } = await this.call('GET', path);
      const { status } = body as { status?: { conditions?: { type: string; status: string }[] } };
      const conditions = status?.conditions ?? [];
      if (!conditions.some((each) => each.type === 'Established' && each.status === 'True')) {
        return false;
      }
      return (await this.call('GET', objects)).status === 200;
    });
  }

  /** Waits until it serves; fails at once when `ended` says that it never will. */
  ready(ended: () => boolean): Promise<void> {
    return this.#until('the API server is ready', async () => {
      if (ended()) throw new Error('the API server has ended');
      return this.call('GET', '/readyz').then(
        ({ status }) => status === 200,
        () => false,
      );
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const lateAt = performance.now() + 60_000;
    while (!(await holds())) {
      if (performance.now() > lateAt) throw new Error(`waited a minute until ${what}`);
      await sleep(50);
    }
  }
}
