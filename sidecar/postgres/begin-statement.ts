import type { HoldfastError } from '../../platform/errors.ts';
import { markCommit } from './commit-ids.ts';
import { controlStatement } from './control-statement.ts';
import type { Step } from './exchange.ts';

export type Isolation = 'default' | 'read committed' | 'repeatable read' | 'serializable';

export interface BeginOptions {
  readonly isolation: Isolation;
  readonly readOnly: boolean;
  readonly deferrable: boolean;
  /** Marks its commit, so that `Outcome` can tell of it for ever; undefined for none. */
  readonly commitId?: string;
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
  const { commitId } = options;
  const begin = beginStatement(options);
  return commitId === undefined ? [begin] : [begin, markCommit(commitId)];
}

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
