import { firstProblem, type Surroundings } from './checks.ts';
import { admit, type Admission, type Conflict, possibleConflicts } from './conflicts.ts';
import type { PolicyEntry, Problem } from './policy-entry.ts';
import { SelectorIndex } from './selection.ts';
import type { Labels } from './stored-object.ts';

/** A policy, and whether this generation was accepted before. */
export interface Candidate {
  readonly entry: PolicyEntry;
  readonly wasAccepted: boolean;
}

/** What is wrong with a policy, other policies aside. */
export interface Verdict {
  /** It is in force nowhere. */
  readonly refusal?: Problem;
  /** It is in force, and should not be: it was accepted, and what it needs has gone since. Taking pools away would make that worse. */
  readonly complaint?: Problem;
}

/** All policies of a namespace as they stand to each other; made anew when one of them changes. */
export class NamespacePolicies {
  readonly #entries: ReadonlyMap<string, PolicyEntry>;
  readonly #verdicts: ReadonlyMap<string, Verdict>;
  readonly #all: SelectorIndex<PolicyEntry>;
  readonly #conflicts: ReadonlyMap<string, Conflict>;

  constructor(candidates: readonly Candidate[], around: Surroundings) {
    const verdicts = new Map<string, Verdict>();
    for (const { entry, wasAccepted } of candidates) {
      const problem = firstProblem(entry, around);
      if (problem === undefined) verdicts.set(entry.uid, {});
      else verdicts.set(entry.uid, wasAccepted ? { complaint: problem } : { refusal: problem });
    }
    this.#verdicts = verdicts;
    const entries = candidates.map(({ entry }) => entry).filter(({ spec }) => spec !== undefined);
    this.#entries = new Map(candidates.map(({ entry }) => [entry.name, entry]));
    this.#all = new SelectorIndex(entries);
    const accepted = entries.filter((entry) => this.#isAccepted(entry));
    this.#conflicts = possibleConflicts(accepted, new SelectorIndex(accepted));
  }

  get entries(): Iterable<PolicyEntry> {
    return this.#entries.values();
  }

  entry(name: string): PolicyEntry | undefined {
    return this.#entries.get(name);
  }

  verdict(uid: string): Verdict {
    return this.#verdicts.get(uid) ?? {};
  }

  /** What keeps a policy away from a pod that may exist; undefined when nothing does. */
  possibleConflict(uid: string): Conflict | undefined {
    return this.#conflicts.get(uid);
  }

  /** Those whose selector takes the labels, in force or not. */
  selecting(labels: Labels): readonly PolicyEntry[] {
    return this.#all.matching(labels);
  }

  /** Those in force on a pod with the labels, and those that are kept away. */
  on(labels: Labels): Admission {
    return admit(this.selecting(labels).filter((entry) => this.#isAccepted(entry)));
  }

  #isAccepted({ uid }: PolicyEntry): boolean {
    return this.#verdicts.get(uid)?.refusal === undefined;
  }
}
