/**
 * What became of a call, as policies see it. `throttled` is the answer of somebody who is well and wants less (429, RESOURCE_EXHAUSTED): it says nothing
 * of health. `dropped`: the call did not run, or nobody waited for its end.
 */
export type Outcome = 'success' | 'failure' | 'throttled' | 'dropped';
