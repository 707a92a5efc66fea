import type { KubeObject } from './resource.ts';

/** A Lease of coordination.k8s.io/v1, as far as elections look at it. */
export interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export interface Candidate {
  readonly identity: string;
  /** host:port of its discovery server; absent when it has none. */
  readonly address?: string | undefined;
}

/** Where a Lease says how its holder is reached. */
export const addressAnnotation = 'holdfast.dev/address';

/** Who holds a Lease; undefined when it was released. Whether it still does is not in here: clocks of machines differ. */
export function holderOf(lease: Lease): Candidate | undefined {
  const identity = lease.spec?.holderIdentity ?? '';
  if (identity === '') return undefined;
  return { identity, address: lease.metadata.annotations?.[addressAnnotation] };
}

/** The Lease with this holder. Acquiring counts a transition, renewing does not. */
export function heldBy(
  lease: Lease,
  { identity, address }: Candidate,
  { wallMs, durationMs }: { readonly wallMs: number; readonly durationMs: number },
): Lease {
  const before = lease.spec ?? {};
  const now = microTime(wallMs);
  const renewal = before.holderIdentity === identity;
  const transitions = before.leaseTransitions ?? 0;
  return withAddress(
    {
      ...lease,
      spec: {
        ...before,
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(durationMs / 1_000),
        acquireTime: renewal ? (before.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: renewal ? transitions : transitions + 1,
      },
    },
    address,
  );
}

/** The Lease without a holder: whoever looks next takes it. */
export function released(lease: Lease, wallMs: number): Lease {
  return withAddress(
    {
      ...lease,
      spec: {
        ...lease.spec,
        holderIdentity: '',
        leaseDurationSeconds: 1,
        renewTime: microTime(wallMs),
      },
    },
    undefined,
  );
}

function withAddress(lease: Lease, address: string | undefined): Lease {
  const { [addressAnnotation]: _old, ...others } = lease.metadata.annotations ?? {};
  const annotations = address === undefined ? others : { ...others, [addressAnnotation]: address };
  return { ...lease, metadata: { ...lease.metadata, annotations } };
}

/** As metav1.MicroTime is written. */
export const microTime = (wallMs: number): string =>
  new Date(wallMs).toISOString().replace('Z', '000Z');
