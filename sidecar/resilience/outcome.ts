import type { ErrorKind, HoldfastError } from '../../platform/errors.ts';

/**
 * What became of a call, as policies see it. `throttled` is the answer of somebody who is well and wants less (429, RESOURCE_EXHAUSTED): it says nothing
 * of health. `waited`: it went well, and how long it took was its caller's wish (a stream, a transaction, BLPOP). `dropped`: the call did not run, or nobody
 * waited for its end.
 */
export type Outcome = 'success' | 'waited' | 'failure' | 'throttled' | 'dropped';

const outcomes: Partial<Record<ErrorKind, Outcome>> = {
  unavailable: 'failure',
  deadline: 'failure',
  internal: 'failure',
  'unknown-outcome': 'failure',
  exhausted: 'throttled',
  cancelled: 'dropped',
};

/** What a failure says of the target's health: one that the request itself is to blame for says that it is well. */
export const outcomeOf = ({ kind }: HoldfastError): Outcome => outcomes[kind] ?? 'success';
