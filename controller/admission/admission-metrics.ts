import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface AdmissionMetrics {
  /** A webhook was answered. */
  answered(path: string, verdict: 'allowed' | 'refused' | 'failed', ms: number): void;
}

/** Metrics of the webhooks; `certificateEndsAtMs` is when the certificate that is shown ends, in ms since 1970. */
export function admissionMetrics(
  registry: Registry,
  certificateEndsAtMs: () => number | undefined,
): AdmissionMetrics {
  const registers = [registry];
  const reviews = new Counter({
    name: 'holdfast_controller_admission_reviews_total',
    help: 'Reviews that were answered, by webhook and verdict.',
    labelNames: ['webhook', 'verdict'],
    registers,
  });
  const seconds = new Histogram({
    name: 'holdfast_controller_admission_seconds',
    help: 'From a review to its answer.',
    labelNames: ['webhook'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const ends: Gauge = new Gauge({
    name: 'holdfast_controller_certificate_end_timestamp_seconds',
    help: 'When the certificate that the controller shows ends.',
    registers,
    collect: () => {
      const at = certificateEndsAtMs();
      if (at !== undefined) ends.set(at / 1_000);
    },
  });
  return {
    answered: (path, verdict, ms) => {
      const webhook = path.slice(1);
      reviews.inc({ webhook, verdict });
      seconds.observe({ webhook }, ms / 1_000);
    },
  };
}
