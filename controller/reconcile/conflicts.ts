import type { Claim } from '../../crds/policy-claims.ts';
import { pathText } from '../../crds/schema-faults.ts';
import { canonicalJson } from './canonical-json.ts';
import { byAge, type PolicyEntry, type Problem } from './policy-entry.ts';
import { commonLabels, CompatibleIndex, type SelectorIndex } from './selection.ts';
import type { Labels } from './stored-object.ts';

/** A policy that does not stand where an older one does. */
export interface Conflict {
  readonly younger: PolicyEntry;
  readonly older: PolicyEntry;
  /** The younger's claim, and where the older says the same. */
  readonly claim: Claim;
  readonly olderPath: readonly PropertyKey[];
}

/** Who stands on one pod. */
export interface Admission {
  readonly standing: readonly PolicyEntry[];
  readonly conflicts: readonly Conflict[];
}

/** Which of the policies that select a pod stand there: one after the other by age, without those that claim what one before them has. */
export function admit(selecting: readonly PolicyEntry[]): Admission {
  const taken = new Map<string, { readonly entry: PolicyEntry; readonly claim: Claim }>();
  const standing: PolicyEntry[] = [];
  const conflicts: Conflict[] = [];
  for (const entry of selecting.toSorted(byAge)) {
    const claim = entry.claims.find(({ key }) => taken.has(key));
    const holder = claim && taken.get(claim.key);
    if (claim !== undefined && holder !== undefined) {
      const { entry: older, claim: theirs } = holder;
      conflicts.push({ younger: entry, older, claim, olderPath: theirs.path });
      continue;
    }
    for (const own of entry.claims) taken.set(own.key, { entry, claim: own });
    standing.push(entry);
  }
  return { standing, conflicts };
}

/**
 * For each policy that would not stand on some pod, by uid, the conflict that keeps it away: pods need not exist, it is enough that selectors let
 * them. Asked of a pod with the labels of both selectors and no others.
 */
export function possibleConflicts(
  entries: readonly PolicyEntry[],
  index: SelectorIndex<PolicyEntry>,
): ReadonlyMap<string, Conflict> {
  const found = new Map<string, Conflict>();
  const claiming = new Map<string, CompatibleIndex<PolicyEntry>>();
  const keptAway = keptAwayFrom(index);
  for (const entry of entries.toSorted(byAge)) {
    const conflict = firstConflict(entry, claiming, keptAway);
    if (conflict !== undefined) found.set(entry.uid, conflict);
    for (const { key } of entry.claims) {
      let others = claiming.get(key);
      if (others === undefined) claiming.set(key, (others = new CompatibleIndex()));
      others.add(entry);
    }
  }
  return found;
}

type KeptAway = (labels: Labels) => ReadonlyMap<PolicyEntry, Conflict>;

/** Who does not stand on a pod with some labels; asked again and again of the same ones. */
function keptAwayFrom(index: SelectorIndex<PolicyEntry>): KeptAway {
  const known = new Map<string, ReadonlyMap<PolicyEntry, Conflict>>();
  return (labels) => {
    const key = canonicalJson(labels);
    let found = known.get(key);
    if (found === undefined) {
      const { conflicts } = admit(index.matching(labels));
      found = new Map(conflicts.map((conflict) => [conflict.younger, conflict]));
      known.set(key, found);
    }
    return found;
  };
}

function firstConflict(
  entry: PolicyEntry,
  claiming: ReadonlyMap<string, CompatibleIndex<PolicyEntry>>,
  keptAway: KeptAway,
): Conflict | undefined {
  for (const { key } of entry.claims) {
    for (const older of claiming.get(key)?.compatible(entry.selector) ?? []) {
      const labels = commonLabels(older.selector, entry.selector);
      const own = labels && keptAway(labels).get(entry);
      if (own !== undefined) return own;
    }
  }
  return undefined;
}

/** What a status says of a conflict. */
export const conflictProblem = ({ older, claim, olderPath }: Conflict): Problem => ({
  reason: 'NamedTwice',
  message: `${pathText(claim.path)} ${claim.text}: the older policy "${older.name}" has it in ${pathText(olderPath)} and stands where both select a pod`,
});
