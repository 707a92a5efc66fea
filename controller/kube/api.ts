import { Agent, type Dispatcher, request } from 'undici';
import type { Clock } from '../../platform/clock.ts';
import type { Access } from './access.ts';
import { KubeError } from './kube-error.ts';

export interface KubeCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: object;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** For the whole answer; of `lines`, for its head. */
  readonly timeoutMs?: number;
}

/** Calls the REST API of the API server. What fails is a KubeError. */
export interface KubeApi {
  /** The answer, whatever the caller believes it to be. */
  call<Answer>(call: KubeCall): Promise<Answer>;
  /** The answer line by line, until the server or the signal ends it. */
  lines(call: KubeCall): AsyncGenerator<string, void>;
  close(): Promise<void>;
}

const defaultTimeoutMs = 15_000;
/** An object is at most 3 MiB, and a page of a list has 500 of them. */
const maxLineBytes = 16 * 1024 * 1024;

export function openKubeApi(access: Access, clock: Clock): KubeApi {
  const agent = new Agent({
    connect: { ...(access.tls as object), timeout: 10_000, keepAliveInitialDelay: 15_000 },
    // Times are the caller's.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 60_000,
  });

  const send = async (
    call: KubeCall,
    signal: AbortSignal,
    accept: string,
  ): Promise<Dispatcher.ResponseData> => {
    const answer = await request(new URL(`${call.path}${queryText(call.query)}`, access.url), {
      dispatcher: agent,
      method: call.method,
      headers: {
        accept,
        'user-agent': 'holdfast-controller',
        ...(await access.headers()),
        ...(call.body === undefined
          ? {}
          : { 'content-type': call.contentType ?? 'application/json' }),
      },
      body: call.body === undefined ? null : JSON.stringify(call.body),
      signal,
    });
    if (answer.statusCode < 300) return answer;
    throw refusal(call, answer, await answer.body.text());
  };

  return {
    call: async <Answer>(call: KubeCall) => {
      using patience = limited(call, clock);
      try {
        const answer = await send(call, patience.signal, 'application/json');
        return (await answer.body.json()) as Answer;
      } catch (thrown) {
        throw asKubeError(thrown, call, patience.signal);
      }
    },
    lines: async function* lines(call: KubeCall) {
      using patience = limited(call, clock);
      try {
        const answer = await send(call, patience.signal, 'application/json');
        patience.enough();
        yield* linesOf(answer.body);
      } catch (thrown) {
        throw asKubeError(thrown, call, patience.signal);
      }
    },
    close: () => agent.destroy(),
  };
}

interface Patience extends Disposable {
  readonly signal: AbortSignal;
  /** There is no limit any more. */
  enough(): void;
}

/** The caller's signal and its time limit as one. */
function limited({ signal, timeoutMs = defaultTimeoutMs }: KubeCall, clock: Clock): Patience {
  const controller = new AbortController();
  const stop = clock.after(timeoutMs, () =>
    controller.abort(new Error(`no answer within ${timeoutMs} ms`)),
  );
  const onAbort = (): void => controller.abort(signal?.reason);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    enough: stop,
    [Symbol.dispose]: () => {
      stop();
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLineBytes) throw new Error('an event that is too large');
    for (const line of lines) if (line !== '') yield line;
  }
}

function queryText(query: KubeCall['query'] = {}): string {
  const entries = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries).toString()}`;
}

const nameOf = ({ method, path }: KubeCall): string => `${method} ${path}`;

function refusal(
  call: KubeCall,
  { statusCode, headers }: Dispatcher.ResponseData,
  text: string,
): KubeError {
  const { message, reason = '' } = statusIn(text);
  const after = Number(headers['retry-after']);
  // The API server's own text names user, verb, resource, group and namespace.
  const what =
    statusCode === 403 && reason === 'Forbidden' && message?.includes(' cannot ') === true
      ? `the controller lacks a right: ${message}`
      : `${nameOf(call)}: ${message ?? `status ${statusCode}`}`;
  return new KubeError(statusCode, reason, what, {
    retryAfterMs: after > 0 ? after * 1_000 : undefined,
  });
}

function statusIn(text: string): { readonly message?: string; readonly reason?: string } {
  try {
    return JSON.parse(text) as { message?: string; reason?: string };
  } catch {
    return text === '' ? {} : { message: text.slice(0, 500) };
  }
}

function asKubeError(thrown: unknown, call: KubeCall, signal: AbortSignal): KubeError {
  if (thrown instanceof KubeError) return thrown;
  const cause: unknown = signal.aborted ? signal.reason : thrown;
  const why = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new KubeError(0, '', `${nameOf(call)}: ${why}`, { cause });
}
