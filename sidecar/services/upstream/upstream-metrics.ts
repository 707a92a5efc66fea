import { Counter, type Registry } from 'prom-client';

/** Where an answer came from that was not the target's. */
export type FallbackSource = 'static' | 'stale' | 'upstream';

export interface UpstreamEvents {
  /** A server has answered a try. */
  readonly answered: (target: string, status: number) => void;
  /** A caller got an answer in place of the target's. */
  readonly fellBack: (target: string, source: FallbackSource) => void;
}

/** Metrics of calls to HTTP servers. */
export function upstreamMetrics(registry: Registry): UpstreamEvents {
  const answers = new Counter({
    name: 'holdfast_upstream_answers_total',
    help: 'Answers of HTTP servers, of each try, by class of their status.',
    labelNames: ['target', 'status'] as const,
    registers: [registry],
  });
  const fallbacks = new Counter({
    name: 'holdfast_upstream_fallbacks_total',
    help: 'Calls that were answered by the fallback of their target.',
    labelNames: ['target', 'source'] as const,
    registers: [registry],
  });
  return {
    answered: (target, status) => answers.inc({ target, status: `${Math.floor(status / 100)}xx` }),
    fellBack: (target, source) => fallbacks.inc({ target, source }),
  };
}
