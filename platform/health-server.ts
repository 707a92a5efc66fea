import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

interface HealthParts {
  /** 0 is any free one. */
  readonly port: number;
  readonly registry: Registry;
  /** Whether calls are served just now. It never speaks for a database: a pod is not restarted for somebody else's outage. */
  readonly ready: () => boolean;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves `/livez`, `/readyz` and `/metrics` on all interfaces: kubelet and Prometheus come from outside the pod's loopback. */
export async function serveHealth({ port, registry, ready }: HealthParts): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = (code: number, text: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(code, { 'content-type': type }).end(text);
    };
    switch (request.url?.split('?')[0]) {
      case '/livez':
        return answer(200, 'ok\n');
      case '/readyz':
        return ready() ? answer(200, 'ok\n') : answer(503, 'not serving\n');
      case '/metrics':
        registry.metrics().then(
          (text) => answer(200, text, registry.contentType),
          () => answer(500, 'metrics cannot be gathered\n'),
        );
        return undefined;
      default:
        return answer(404, 'there are /livez, /readyz and /metrics\n');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
