import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { ServingCertificates } from '../certificates/serving-certificates.ts';
import { type AdmissionHandler, readReview, reviewText } from './admission-review.ts';

export interface AdmissionServerParts {
  /** 0 is any free one. */
  readonly port: number;
  /** Without it: all interfaces. */
  readonly host?: string;
  readonly certificates: Pick<ServingCertificates, 'current' | 'onChange'>;
  /** By path. */
  readonly handlers: Readonly<Record<string, AdmissionHandler>>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of each answer: how it ended, and after how long. */
  readonly onAnswer?: (path: string, verdict: 'allowed' | 'refused' | 'failed', ms: number) => void;
}

export interface AdmissionServer {
  readonly port: number;
  /** Takes no more, and lets what is under way finish for at most `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** An object has at most 3 MiB, and an update has two of them. */
const mostBodyBytes = 8 * 1024 * 1024;
/** Of all that are being answered: the port is open to the cluster, and a review takes ten times its text. */
const mostBodiesBytes = 32 * 1024 * 1024;
/** The API server waits for at most 30 s, and says for how long. */
const longestMs = 10_000;

/** Serves webhooks over HTTPS. A new certificate is shown to new connections. */
export async function serveAdmission(parts: AdmissionServerParts): Promise<AdmissionServer> {
  const { port, host, certificates, logger } = parts;
  const { certificate, key } = certificates.current;
  const bodies = { bytes: 0 };
  const server = createServer(
    {
      cert: certificate,
      key,
      headersTimeout: longestMs,
      requestTimeout: longestMs,
      connectionsCheckingInterval: 2_000,
    },
    (request, response) => void answer(parts, bodies, request, response),
  );
  const unsubscribe = certificates.onChange((tls) => {
    try {
      server.setSecureContext({ cert: tls.certificate, key: tls.key });
    } catch (error) {
      logger.warn({ err: error }, 'webhooks cannot use the new certificate, and keep the old one');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: (graceMs) =>
      new Promise((resolve) => {
        unsubscribe();
        const stop = parts.clock.after(graceMs, () => server.closeAllConnections());
        server.close(() => {
          stop();
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

async function answer(
  { handlers, clock, logger, onAnswer }: AdmissionServerParts,
  bodies: Bodies,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // `//` and the like are no URL.
  const [pathname = '', query] = (request.url ?? '').split('?');
  const say = (code: number, text: string): void => {
    response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
  };
  const handler = Object.hasOwn(handlers, pathname) ? handlers[pathname] : undefined;
  if (handler === undefined) return say(404, 'there is no such webhook');
  if (request.method !== 'POST') return say(405, 'webhooks are called by POST');
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    return say(415, 'a review is application/json');
  }

  const startedAt = clock.now();
  const patience = new AbortController();
  const stop = clock.after(patienceMs(new URLSearchParams(query).get('timeout')), () =>
    patience.abort(new Error('the time for an answer is over')),
  );
  response.once('close', () => patience.abort(new Error('nobody waits for the answer')));
  const tell = (verdict: 'allowed' | 'refused' | 'failed'): void =>
    onAnswer?.(pathname, verdict, clock.now() - startedAt);
  const own = { bytes: 0 };
  try {
    const text = await bodyOf(request, bodies, own);
    if (text === undefined) {
      return own.bytes > mostBodyBytes
        ? say(413, `a review has at most ${mostBodyBytes} bytes`)
        : say(503, 'too many reviews at once');
    }
    let review;
    try {
      review = readReview(text);
    } catch {
      return say(400, 'the body is no AdmissionReview of admission.k8s.io/v1');
    }
    const verdict = await orAborted(handler(review, patience.signal), patience.signal);
    tell(verdict.allowed ? 'allowed' : 'refused');
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(reviewText(review.uid, verdict));
  } catch (error) {
    tell('failed');
    // A pod or a policy may be anything: it stays out of the log.
    logger.warn({ err: error, path: pathname }, 'a webhook failed');
    if (!response.headersSent) say(500, 'the webhook failed; its log says why');
  } finally {
    stop();
    bodies.bytes -= own.bytes;
  }
}

/** Bytes of bodies that are held. */
interface Bodies {
  bytes: number;
}

/** `5s`, as the API server writes it; less what the answer takes to arrive. */
function patienceMs(timeout: string | null): number {
  const seconds = Number(/^(\d{1,3}(?:\.\d+)?)s$/.exec(timeout ?? '')?.[1] ?? longestMs / 1_000);
  return Math.min(longestMs, Math.max(100, seconds * 1_000 - 100));
}

/** Undefined when it is too long, or there are too many; the rest of it is not read. Counts it in `all` and `own`. */
async function bodyOf(
  request: IncomingMessage,
  all: Bodies,
  own: Bodies,
): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    own.bytes += chunk.length;
    all.bytes += chunk.length;
    if (own.bytes > mostBodyBytes || all.bytes > mostBodiesBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function orAborted<Value>(value: Value | Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  Promise.resolve(value).then(resolve, reject);
  return promise;
}
