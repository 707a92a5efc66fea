import type { Clock } from '../../platform/clock.ts';
import type { KubeApi } from './api.ts';
import { isConflict, isNotFound, KubeError } from './kube-error.ts';
import { type Candidate, heldBy, holderOf, type Lease, released } from './lease-record.ts';
import { apiVersionOf, pathOf, resources } from './resource.ts';

export interface ElectionTimes {
  /** Others take over when they have seen no renewal for so long, by their own clocks. */
  readonly leaseMs: number;
  /** A leader without a confirmed renewal for so long leads no more; less than `leaseMs`. */
  readonly renewWithinMs: number;
  /** Between two looks, up to a fifth more. */
  readonly retryMs: number;
}

export const electionTimes: ElectionTimes = {
  leaseMs: 10_000,
  renewWithinMs: 7_000,
  retryMs: 2_000,
};

/** A leader has to get two tries into `renewWithinMs`. */
const tryMs = (renewWithinMs: number): number => renewWithinMs * 0.43;
/** After a failure the next try comes so much sooner. */
const impatience = 0.25;

export interface ElectionParts {
  readonly api: KubeApi;
  readonly namespace: string;
  /** Of the Lease; it is made when there is none. */
  readonly name: string;
  /** Unlike everybody else's, also of an earlier life of the same pod. */
  readonly candidate: Candidate;
  readonly clock: Clock;
  readonly random: () => number;
  readonly times?: Partial<ElectionTimes>;
  readonly onStarted: () => void;
  /** Also called when the election is stopped while leading. */
  readonly onStopped: () => void;
  /** Somebody else leads now, or nobody. */
  readonly onLeader?: (leader: Candidate | undefined) => void;
  readonly onFault: (fault: KubeError) => void;
}

/** Who of the replicas leads. */
export interface Election {
  /** Looks at the clock each time: a process that was stopped for a while leads no more when it goes on. */
  isLeading(): boolean;
  /** This replica or another one; undefined when nobody is known to lead. */
  leader(): Candidate | undefined;
  /** Leads no more, and gives the Lease back so that the next one need not wait. */
  stop(): Promise<void>;
}

/**
 * Takes part in the election of a leader by a Lease, and goes on for ever.
 *
 * following (looks at the Lease; takes it when it has no holder, or when nothing of it changed for `leaseMs` since *this* process saw it first) →
 * leading (renews it) → following, when a renewal is not confirmed in time or somebody else has the Lease. At most one leads: a leader ends
 * `renewWithinMs` after it *sent* its last renewal, and others begin `leaseMs` after they saw it. Both are measured on monotonic clocks.
 */
export function joinElection(parts: ElectionParts): Election {
  const { clock, candidate } = parts;
  const times = { ...electionTimes, ...parts.times };
  const leases = leaseAccess(parts);
  const stopping = new AbortController();
  let seen: { readonly lease: Lease; readonly atMs: number } | undefined;
  let renewed: Instant | undefined;
  let leading = false;
  let endAlarm: () => void = () => {};
  let told: string | undefined;

  const observe = (lease: Lease | undefined, atMs: number): void => {
    if (lease === undefined) seen = undefined;
    else if (seen?.lease.metadata.resourceVersion !== lease.metadata.resourceVersion) {
      seen = { lease, atMs };
    }
  };

  const isLeading = (): boolean =>
    leading && renewed !== undefined && passedMs(clock, renewed) < times.renewWithinMs;

  const leader = (): Candidate | undefined => {
    if (isLeading()) return candidate;
    if (seen === undefined || clock.now() - seen.atMs >= times.leaseMs) return undefined;
    const holder = holderOf(seen.lease);
    return holder?.identity === candidate.identity ? undefined : holder;
  };

  const tellLeader = (): void => {
    const now = leader();
    const text = now === undefined ? undefined : `${now.identity} ${now.address}`;
    if (text === told) return;
    told = text;
    parts.onLeader?.(now);
  };

  const stepDown = (): void => {
    endAlarm();
    if (!leading) return;
    leading = false;
    parts.onStopped();
  };

  const lead = (sent: Instant): void => {
    renewed = sent;
    endAlarm();
    endAlarm = clock.after(
      Math.max(0, sent.monotonicMs + times.renewWithinMs - clock.now()),
      () => {
        stepDown();
        tellLeader();
      },
    );
    if (leading) return;
    leading = true;
    parts.onStarted();
  };

  /** Takes or renews the Lease if that is allowed. */
  const attempt = async (signal: AbortSignal): Promise<void> => {
    // Whoever leads knows the Lease; a conflict says otherwise.
    const known = leading && seen !== undefined ? seen.lease : await leases.read(signal);
    observe(known, clock.now());
    const holder = known && holderOf(known);
    const isOurs = holder?.identity === candidate.identity;
    if (!isOurs) {
      stepDown();
      if (holder !== undefined && waitMs() > 0) return;
    }
    const sent = { monotonicMs: clock.now(), wallMs: clock.wallNow() };
    const wish = heldBy(known ?? leases.blank, candidate, {
      wallMs: sent.wallMs,
      durationMs: times.leaseMs,
    });
    observe(await leases.write(wish, known !== undefined, signal), clock.now());
    // It may have been stopped, or its time may be over, while the answer travelled.
    if (!stopping.signal.aborted && passedMs(clock, sent) < times.renewWithinMs) lead(sent);
  };

  /** Until a Lease that somebody else holds may be taken. */
  const waitMs = (): number =>
    seen === undefined || holderOf(seen.lease) === undefined
      ? 0
      : Math.max(0, seen.atMs + times.leaseMs - clock.now());

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      let pauseMs = times.retryMs * (1 + 0.2 * parts.random());
      try {
        await attempt(stopping.signal);
      } catch (thrown) {
        pauseMs *= impatience;
        // Somebody was faster, or an answer was lost that did arrive: the next look tells.
        if (isConflict(thrown)) observe(undefined, 0);
        else if (!stopping.signal.aborted) parts.onFault(asFault(thrown));
      }
      tellLeader();
      const dueMs = leading ? 0 : waitMs();
      await clock.sleep(dueMs > 0 ? Math.min(pauseMs, dueMs + 1) : pauseMs, stopping.signal);
    }
  };
  const running = run().catch(() => {
    // It was stopped while it slept.
  });

  return {
    isLeading,
    leader,
    stop: async () => {
      stopping.abort(new Error('the election is stopped'));
      stepDown();
      await running;
      try {
        const lease = await leases.read();
        if (lease === undefined || holderOf(lease)?.identity !== candidate.identity) return;
        await leases.write(released(lease, clock.wallNow()), true);
      } catch (thrown) {
        parts.onFault(asFault(thrown));
      }
    },
  };
}

interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** By the clock that says more: the monotonic one stands still in a suspended machine. */
const passedMs = (clock: Clock, since: Instant): number =>
  Math.max(clock.now() - since.monotonicMs, clock.wallNow() - since.wallMs);

const asFault = (thrown: unknown): KubeError =>
  thrown instanceof KubeError ? thrown : new KubeError(0, '', String(thrown), { cause: thrown });

/** The one Lease of an election. */
function leaseAccess({ api, namespace, name, times }: ElectionParts) {
  const resource = resources.leases;
  const path = pathOf(resource, { namespace, name });
  const timeoutMs = tryMs(times?.renewWithinMs ?? electionTimes.renewWithinMs);
  const blank: Lease = {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: { name, namespace },
  };
  return {
    blank,
    read: async (signal?: AbortSignal): Promise<Lease | undefined> => {
      try {
        return await api.call<Lease>({ method: 'GET', path, signal, timeoutMs });
      } catch (thrown) {
        if (isNotFound(thrown)) return undefined;
        throw thrown;
      }
    },
    /** By the version that was read: else it is a conflict. */
    write: (lease: Lease, exists: boolean, signal?: AbortSignal): Promise<Lease> =>
      api.call<Lease>({
        method: exists ? 'PUT' : 'POST',
        path: exists ? path : pathOf(resource, { namespace }),
        body: lease,
        signal,
        timeoutMs,
      }),
  };
}
