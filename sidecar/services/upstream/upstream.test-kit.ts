import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { policySchema } from '../../../crds/resilience-policy.ts';
import { Call, cancelled } from '../../../platform/call.ts';
import { type Clock, systemClock } from '../../../platform/clock.ts';
import { Deadlines } from '../../../platform/deadlines.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { UpstreamPart } from '../../../platform/gen/holdfast/v1/UpstreamPart.ts';
import type { UpstreamRequest__Output } from '../../../platform/gen/holdfast/v1/UpstreamRequest.ts';
import type { UpstreamResponse } from '../../../platform/gen/holdfast/v1/UpstreamResponse.ts';
import type { Operation, StreamOperation } from '../../grpc/operation.ts';
import { type Answering, startHttpServer } from '../../http/http-server.test-kit.ts';
import { targetsOf } from '../../policies/target-settings.ts';
import type { Targets } from '../../resilience/targets.ts';
import { freeTargets } from '../../resilience/targets.test-kit.ts';
import { AbsentTargets } from '../../settings/absent-targets.ts';
import { policyUpstreams } from '../../settings/upstream-targets.ts';
import { upstreamOperations } from './operations.ts';
import { Upstreams } from './upstreams.ts';

/** A target as a policy file has it; kind Upstream. */
export interface TestTarget {
  readonly name: string;
  readonly upstream: { readonly baseUrl: string } & Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export type TestRequest = Partial<Omit<UpstreamRequest__Output, 'body' | 'headers'>> & {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** An answer as tests like to look at it. */
export interface TestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly attempts: number;
  readonly source: string;
}

/** Pauses of retries as short as they get. */
export const quickRetry = {
  maxAttempts: 3,
  backoff: { baseMs: 1, maxMs: 1 },
  budget: { ratio: 1, minPerSecond: 1_000 },
};

/** Service Upstream with policies of the test's own. */
export class UpstreamBed implements AsyncDisposable {
  readonly targets: Targets;
  readonly upstreams: Upstreams;
  readonly #folder = mkdtempSync(join(tmpdir(), 'hf-'));
  readonly #call: Operation<UpstreamRequest__Output, UpstreamResponse>;
  readonly #stream: StreamOperation<UpstreamRequest__Output, UpstreamPart>;
  readonly events: string[] = [];

  constructor(targets: readonly TestTarget[], { clock = systemClock }: { clock?: Clock } = {}) {
    this.targets = freeTargets(clock, () => 0.5);
    this.upstreams = new Upstreams({ clock, deadlines: new Deadlines(clock) });
    this.configure(targets);
    const operations = upstreamOperations({
      upstreams: this.upstreams,
      targets: this.targets,
      clock,
      maxMessageBytes: 64 * 1024 * 1024,
      events: {
        answered: (target, status) => this.events.push(`${target} ${status}`),
        fellBack: (target, source) => this.events.push(`${target} fell back: ${source}`),
      },
    });
    [this.#call] = operations.unary as [Operation<UpstreamRequest__Output, UpstreamResponse>];
    [this.#stream] = operations.streams as [StreamOperation<UpstreamRequest__Output, UpstreamPart>];
  }

  configure(targets: readonly TestTarget[]): void {
    const policy = policySchema.parse({
      apiVersion: 'resilience.holdfast.dev/v1alpha1',
      kind: 'ResiliencePolicy',
      metadata: { name: 'test' },
      spec: { targets: targets.map((target) => ({ kind: 'Upstream', ...target })) },
    });
    const readFile = (path: string): string => readFileSync(path, 'utf8');
    const absent = new AbsentTargets(() => false);
    const sources = { secretsDir: this.#folder, readFile, absent };
    this.upstreams.configure(policyUpstreams([policy], sources));
    this.targets.configure(targetsOf([policy], 'Enforce'), []);
  }

  /** Writes `name/key` where secrets are. */
  secret(path: string, text: string): void {
    mkdirSync(dirname(join(this.#folder, path)), { recursive: true });
    writeFileSync(join(this.#folder, path), text, { mode: 0o600 });
  }

  async call(target: string, request: TestRequest = {}, call = aCall()): Promise<TestAnswer> {
    return seen(await this.#call.handle(requestOf(target, request), call));
  }

  /** Reads everything, or as fast as `onChunk` does. */
  async stream(
    target: string,
    request: TestRequest = {},
    {
      call = aCall(),
      onHead = () => {},
      onChunk = () => {},
    }: {
      readonly call?: Call;
      readonly onHead?: (head: TestAnswer) => Promise<void> | void;
      readonly onChunk?: (chunk: Buffer) => Promise<void> | void;
    } = {},
  ): Promise<TestAnswer> {
    let head: UpstreamResponse | undefined;
    const chunks: Buffer[] = [];
    await this.#stream.handle(requestOf(target, request), call, async (part) => {
      call.throwIfEnded();
      if (part.head !== undefined && part.head !== null) {
        head = part.head;
        await onHead(seen(head));
        return;
      }
      const chunk = part.chunk as Buffer;
      chunks.push(chunk);
      await onChunk(chunk);
    });
    return seen({ ...head, body: Buffer.concat(chunks) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.upstreams.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A server, and a target `api` that is its. */
export async function serve(
  answer: Answering,
  target: object = {},
  upstream: object = {},
  options?: Parameters<typeof startHttpServer>[1],
) {
  const server = await startHttpServer(answer, options);
  const baseUrl = `${server.url}/v1`;
  const bed = new UpstreamBed([{ name: 'api', upstream: { baseUrl, ...upstream }, ...target }]);
  return {
    server,
    bed,
    [Symbol.asyncDispose]: async () => {
      await bed[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

export const later = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

export const aCall = (forMs = Infinity): Call =>
  new Call({
    scope: { onClose: () => () => {}, push: () => {} },
    deadlineAtMs: systemClock.now() + forMs,
  });

export const cancel = (call: Call): void => call.end(cancelled());

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<HoldfastError> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof HoldfastError) return thrown;
    throw thrown;
  }
  throw new Error('it succeeded');
}

const requestOf = (
  target: string,
  { headers = {}, body = '', ...request }: TestRequest,
): UpstreamRequest__Output => ({
  target,
  method: '',
  path: '',
  idempotent: false,
  costKey: '',
  costHeader: '',
  headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
  body: Buffer.from(body),
  ...request,
});

const seen = ({ status, headers, body, attempts, source }: UpstreamResponse): TestAnswer => ({
  status: status ?? 0,
  headers: Object.fromEntries((headers ?? []).map(({ name = '', value = '' }) => [name, value])),
  body: (body as Buffer).toString(),
  attempts: attempts ?? 0,
  source: String(source).replace('ANSWER_SOURCE_', '').toLowerCase(),
});
