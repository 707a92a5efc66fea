import type { ResiliencePolicy } from '../../crds/resilience-policy.ts';
import type { SettingsError } from './settings-error.ts';
import type { ReadFile } from './targets.ts';

/** Policies that no file has: the controller sent them, now or in an earlier run. */
export interface GivenPolicies {
  /** Of the controller; never empty. */
  readonly version: string;
  readonly policies: readonly ResiliencePolicy[];
  /** What was last read of each file beside the policies, by path: a secret that vanishes stays in use. Holds secrets. */
  readonly lastRead: Map<string, string>;
  /** At the start a secret with a fault in it leaves only its own target out; later it refuses the policy, and what is in force stays. */
  readonly starting: boolean;
}

/** Reads a file, or gives what was last read of it. */
export const remembering =
  (readFile: ReadFile, { lastRead }: GivenPolicies): ReadFile =>
  (path) => {
    try {
      const text = readFile(path);
      lastRead.set(path, text);
      return text;
    } catch (error) {
      const before = lastRead.get(path);
      if (before === undefined) throw error;
      return before;
    }
  };

/** Whether the rest of given policies does without a target that has this fault. A file's policies never do. */
export const leavesOut =
  (given: GivenPolicies | undefined) =>
  ({ missing }: SettingsError): boolean =>
    given !== undefined && (missing !== undefined || given.starting);
