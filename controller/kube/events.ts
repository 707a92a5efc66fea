import { createHash } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';
import type { KubeApi } from './api.ts';
import { isNotFound } from './kube-error.ts';
import { microTime } from './lease-record.ts';
import { apiVersionOf, type KubeObject, pathOf, resources } from './resource.ts';

export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  /** One word for programs: `PolicyRejected`. */
  readonly reason: string;
  /** What the controller did or tried: `Reconcile`. */
  readonly action: string;
  /** For people; cut at 1,024 bytes. */
  readonly note: string;
}

interface EventParts {
  readonly api: KubeApi;
  readonly clock: Clock;
  /** Name of the pod that reports. */
  readonly instance: string;
  /** Called for each event that could not be written, and for the first of those that are too many. */
  readonly onFault: (fault: unknown) => void;
}

/** Events that `kubectl describe` and `kubectl events` show. */
export interface EventRecorder {
  /** Returns at once. The same again counts up within ten minutes; what are too many for one object are dropped. */
  record(regarding: KubeObject, note: EventNote): void;
  /** Writes the counts that are not written yet. */
  stop(): Promise<void>;
}

const seriesMs = 600_000;
/** A count is written so often. */
const countMs = 60_000;
const mostSeries = 2_000;
/** For one object: so many at once, then one each so many ms. */
const burst = 20;
const refillMs = 30_000;
const mostNoteBytes = 1_024;

interface Series {
  /** Undefined when it could not be written. */
  readonly path: Promise<string | undefined>;
  readonly startedMs: number;
  count: number;
  lastWallMs: number;
  stopTimer: (() => void) | undefined;
}

export function eventRecorder({ api, clock, instance, onFault }: EventParts): EventRecorder {
  const series = new Map<string, Series>();
  const buckets = new Map<string, { tokens: number; atMs: number; told: boolean }>();
  let stopped = false;

  const isTooMuch = (uid: string): boolean => {
    const nowMs = clock.now();
    const before = buckets.get(uid) ?? { tokens: burst, atMs: nowMs, told: false };
    const tokens = Math.min(burst, before.tokens + (nowMs - before.atMs) / refillMs);
    const isEmpty = tokens < 1;
    if (isEmpty && !before.told) {
      onFault(new Error('too many events of one object: some are dropped'));
    }
    buckets.delete(uid);
    buckets.set(uid, { tokens: isEmpty ? tokens : tokens - 1, atMs: nowMs, told: isEmpty });
    forgetOldest(buckets, mostSeries);
    return isEmpty;
  };

  const writeCount = async (one: Series): Promise<void> => {
    one.stopTimer?.();
    one.stopTimer = undefined;
    const path = await one.path;
    if (path === undefined) return;
    await api
      .call({
        method: 'PATCH',
        path,
        contentType: 'application/merge-patch+json',
        body: { series: { count: one.count, lastObservedTime: microTime(one.lastWallMs) } },
      })
      .catch((fault: unknown) => {
        // The API server forgets events after an hour.
        if (!isNotFound(fault)) onFault(fault);
      });
  };

  return {
    record: (regarding, note) => {
      if (stopped) return;
      const { uid = keyOfUnstored(regarding) } = regarding.metadata;
      const key = createHash('sha256')
        .update(JSON.stringify([uid, note.type, note.reason, note.action, note.note]))
        .digest('base64');
      const before = series.get(key);
      if (before !== undefined && clock.now() - before.startedMs < seriesMs) {
        before.count += 1;
        before.lastWallMs = clock.wallNow();
        before.stopTimer ??= clock.after(countMs, () => void writeCount(before));
        return;
      }
      if (isTooMuch(uid)) return;
      before?.stopTimer?.();
      series.delete(key);
      series.set(key, {
        path: post(api, eventOf(regarding, note, clock.wallNow(), instance)).catch(
          (fault: unknown) => {
            onFault(fault);
            return undefined;
          },
        ),
        startedMs: clock.now(),
        count: 1,
        lastWallMs: clock.wallNow(),
        stopTimer: undefined,
      });
      forgetOldest(series, mostSeries)?.stopTimer?.();
    },
    stop: async () => {
      stopped = true;
      const open = [...series.values()];
      await Promise.all(
        open.map((one) => (one.stopTimer === undefined ? one.path : writeCount(one))),
      );
    },
  };
}

async function post(api: KubeApi, event: KubeObject): Promise<string> {
  const { namespace } = event.metadata;
  const { metadata } = await api.call<KubeObject>({
    method: 'POST',
    path: pathOf(resources.events, { namespace }),
    body: event,
  });
  return pathOf(resources.events, { namespace, name: metadata.name });
}

function eventOf(
  { apiVersion, kind, metadata }: KubeObject,
  { note, ...said }: EventNote,
  wallMs: number,
  instance: string,
): KubeObject {
  const { name, namespace, uid, resourceVersion } = metadata;
  const event = {
    apiVersion: apiVersionOf(resources.events),
    kind: resources.events.kind,
    // Events of what is in no namespace are in this one.
    metadata: { generateName: `${name.slice(0, 200)}-`, namespace: namespace ?? 'default' },
    eventTime: microTime(wallMs),
    reportingController: 'holdfast.dev/controller',
    reportingInstance: instance.slice(0, 128),
    regarding: { apiVersion, kind, name, namespace, uid, resourceVersion },
    note: cut(note),
    ...said,
  };
  return event as unknown as KubeObject;
}

const keyOfUnstored = ({ kind, metadata }: KubeObject): string =>
  `${kind}/${metadata.namespace}/${metadata.name}`;

const cut = (note: string): string => {
  const bytes = Buffer.from(note);
  if (bytes.length <= mostNoteBytes) return note;
  // A letter of several bytes that is cut in two decodes to a replacement.
  return `${bytes
    .subarray(0, mostNoteBytes - 6)
    .toString()
    .replace(/�$/, '')}…`;
};

function forgetOldest<Value>(map: Map<string, Value>, most: number): Value | undefined {
  if (map.size <= most) return undefined;
  const [first] = map;
  if (first === undefined) return undefined;
  map.delete(first[0]);
  return first[1];
}
