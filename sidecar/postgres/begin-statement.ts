import type { HoldfastError } from '../../platform/errors.ts';
import { isMark, markCommit, markError } from './commit-ids.ts';
import { controlStatement } from './control-statement.ts';
import type { Exchange, Step } from './exchange.ts';
import { checkFences, type Fence, fenceError, isFenceCheck } from './fence-check.ts';

export type Isolation = 'default' | 'read committed' | 'repeatable read' | 'serializable';

export interface BeginOptions {
  readonly isolation: Isolation;
  readonly readOnly: boolean;
  readonly deferrable: boolean;
  /** Marks its commit, so that `Outcome` can tell of it for ever; undefined for none. */
  readonly commitId?: string;
  /** Of the locks that it works under, each once: it is refused with FENCED when one has a newer holder. Not for READ ONLY. */
  readonly fences?: readonly Fence[];
  /** Longest life of the transaction. */
  readonly timeoutMs: number;
  /** Longest pause between two pieces of work. */
  readonly idleTimeoutMs: number;
  /** Told once when the transaction ends without its caller having asked for it. */
  readonly onAborted: (reason: HoldfastError) => void;
}

const made = new Map<string, Step>();

/** What goes before the first statement of a transaction, in the same exchange. */
export function openingSteps(options: BeginOptions): readonly Step[] {
  const { commitId, fences = [] } = options;
  const steps = [beginStatement(options)];
  // First of all: what is read afterwards is read behind the fence.
  if (fences.length > 0) steps.push(checkFences(fences));
  if (commitId !== undefined) steps.push(markCommit(commitId));
  return steps;
}

/** Why a transaction has to end when one of its opening steps failed; undefined when it was another step, or its call ended. */
export function openingFault(
  { failure, steps, results }: Exchange,
  pool: string,
): HoldfastError | undefined {
  const failed = steps[results.length];
  if (failure === undefined || failed === undefined) return undefined;
  if (isFenceCheck(failed)) return fenceError(failure, pool);
  return isMark(failed) ? markError(failure, pool) : undefined;
}

/** Whether there is something to be done for it even if no statement ever comes. */
export const hasOpening = ({ commitId, fences = [] }: BeginOptions): boolean =>
  commitId !== undefined || fences.length > 0;

/** BEGIN with its modes; one step for each combination, so that connections prepare it once. */
export function beginStatement({ isolation, readOnly, deferrable }: BeginOptions): Step {
  const words = ['BEGIN'];
  if (isolation !== 'default') words.push('ISOLATION LEVEL', isolation.toUpperCase());
  if (readOnly) words.push('READ ONLY');
  if (deferrable) words.push('DEFERRABLE');
  const sql = words.join(' ');
  let step = made.get(sql);
  if (step === undefined) {
    step = controlStatement(sql);
    made.set(sql, step);
  }
  return step;
}
