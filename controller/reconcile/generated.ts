import { createHash } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';
import {
  desiredObjects,
  type GeneratedObject,
  type ObjectRef,
} from '../observability/generated-objects.ts';
import type { ObservedPolicy } from '../observability/rule-groups.ts';

/** Writes what is made of policies. */
export interface ObjectWriter {
  /** By server-side apply. */
  apply(object: GeneratedObject): Promise<void>;
  /** Without effect when it is not there, or is not owned by `ownerUid`. */
  remove(object: ObjectRef, ownerUid: string): Promise<void>;
  /** Whether the API server knows PrometheusRules. */
  hasPrometheusRules(): boolean;
}

/** What somebody else did to them is put right when the policy is looked at after so long. */
const againAfterMs = 300_000;

/** Brings the objects of policies up to date, and asks the API server for nothing that was done a moment ago. */
export class GeneratedObjects {
  readonly #writer: ObjectWriter;
  readonly #clock: Clock;
  readonly #done = new Map<string, { readonly digest: string; readonly atMs: number }>();

  constructor(writer: ObjectWriter, clock: Clock) {
    this.#writer = writer;
    this.#clock = clock;
  }

  async bringUpToDate(policy: ObservedPolicy): Promise<void> {
    const hasPrometheusRules = this.#writer.hasPrometheusRules();
    const desired = desiredObjects(policy, { hasPrometheusRules });
    const digest = createHash('sha256').update(JSON.stringify(desired)).digest('hex');
    const done = this.#done.get(policy.uid);
    const nowMs = this.#clock.now();
    if (done?.digest === digest && nowMs - done.atMs < againAfterMs) return;
    for (const object of desired.present) await this.#writer.apply(object);
    for (const object of desired.absent) await this.#writer.remove(object, policy.uid);
    this.#done.set(policy.uid, { digest, atMs: nowMs });
  }

  /** The policy is gone: the cluster removes what it owned. */
  forget(uid: string): void {
    this.#done.delete(uid);
  }
}
