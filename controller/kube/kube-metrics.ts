import { Counter, Gauge, type Registry } from 'prom-client';
import { type Caches, type WatchedKind, watchedKinds } from './caches.ts';

/** What is known at the time of a scrape. */
interface KubeState {
  readonly caches: Caches;
  readonly isLeading: boolean;
}

export interface KubeMetrics {
  /** A list or a watch failed. */
  watchFailed(kind: WatchedKind): void;
}

/** Metrics of what the controller has of the API server; `state` is undefined before there is anything. */
export function kubeMetrics(registry: Registry, state: () => KubeState | undefined): KubeMetrics {
  const registers = [registry];
  const labelNames = ['kind'] as const;
  const leading: Gauge = new Gauge({
    name: 'holdfast_controller_leading',
    help: '1 for the replica that leads, 0 for the others.',
    registers,
    collect: () => leading.set(state()?.isLeading === true ? 1 : 0),
  });
  const objects: Gauge<'kind'> = new Gauge({
    name: 'holdfast_controller_watched_objects',
    help: 'Objects in the cache of a watch.',
    labelNames,
    registers,
    collect: () => each(objects, (cache) => cache.list().length),
  });
  const silence: Gauge<'kind'> = new Gauge({
    name: 'holdfast_controller_watch_silence_seconds',
    help: 'Since the API server was heard last by a watch; a bookmark comes about once a minute.',
    labelNames,
    registers,
    collect: () => each(silence, (cache) => cache.silentMs() / 1_000),
  });
  const faults = new Counter({
    name: 'holdfast_controller_watch_faults_total',
    help: 'Lists and watches that failed or were silent, and were begun anew.',
    labelNames,
    registers,
  });
  for (const kind of watchedKinds) faults.inc({ kind }, 0);

  const each = (gauge: Gauge<'kind'>, value: (cache: Caches[WatchedKind]) => number): void => {
    const now = state();
    if (now === undefined) return;
    for (const kind of watchedKinds) gauge.set({ kind }, value(now.caches[kind]));
  };
  return { watchFailed: (kind) => faults.inc({ kind }) };
}
