import type { Hold } from './holds.ts';

/** A promise that a history does not keep. */
export interface Violation {
  readonly rule: 'exclusion' | 'tokens' | 'order';
  readonly text: string;
}

/**
 * Holds a history against the model of a lock: an exclusive holder is alone, shared ones are only with shared ones, of a semaphore there are never more holders than
 * the smallest number of permits among them says; the same owner may hold it several times, as one. And against what tokens promise: see `tokenViolations`.
 * Knows nothing of how locks are made. Says of nobody how fast he gets what he wants.
 */
export function violationsOf(holds: readonly Hold[]): Violation[] {
  const byName = Map.groupBy(holds, ({ name }) => name);
  return [...byName.values()].flatMap((its) => [
    ...exclusionViolations(its),
    ...tokenViolations(its),
  ]);
}

function exclusionViolations(holds: readonly Hold[]): Violation[] {
  const violations: Violation[] = [];
  let active: Hold[] = [];
  const certain = holds.filter(isCertain);
  for (const hold of certain.toSorted((a, b) => a.grantedAtMs - b.grantedAtMs)) {
    active = active.filter(({ untilMs }) => untilMs > hold.grantedAtMs);
    const others = active.filter((other) => !isSameOwner(hold, other));
    const intruded = others.find((other) => !mayShare(hold, other));
    active.push(hold);
    if (intruded !== undefined) {
      violations.push({ rule: 'exclusion', text: `${told(hold)} beside ${told(intruded)}` });
    } else if (hold.mode === 'semaphore') {
      const permits = Math.min(...active.map((each) => each.permits));
      const holders = new Set(active.map(({ owner, id }) => (owner === '' ? id : `=${owner}`)));
      if (holders.size > permits) {
        violations.push({
          rule: 'exclusion',
          text: `${told(hold)} is the ${holders.size}th of ${permits}`,
        });
      }
    }
  }
  return violations;
}

const isCertain = ({ grantedAtMs, untilMs }: Hold): boolean => untilMs > grantedAtMs;

const mayShare = (a: Hold, b: Hold): boolean => a.mode === b.mode && a.mode !== 'exclusive';

const isSameOwner = (a: Hold, b: Hold): boolean => a.owner !== '' && a.owner === b.owner;

/**
 * Tokens of one name and one source: of a holder that was there before another one asked, and of every earlier one that could not be there together with it, the
 * token is smaller. No two have the same one, but for the same owner, who takes again what it has: then it must be the same. Semaphores have none.
 */
function tokenViolations(all: readonly Hold[]): Violation[] {
  const bySource = Map.groupBy(
    all.filter(({ mode }) => mode !== 'semaphore'),
    ({ fence }) => fence,
  );
  return [...bySource.values()].flatMap((holds) => {
    const byGrant = holds.toSorted((a, b) => a.grantedAtMs - b.grantedAtMs);
    const again = new Set(
      [...Map.groupBy(byGrant, ({ token }) => token).values()].flatMap((same) => same.slice(1)),
    );
    return [
      ...repeatViolations(byGrant, again),
      ...growthViolations(byGrant.filter((hold) => !again.has(hold))),
    ];
  });
}

/** In order of their grants. */
function growthViolations(holds: readonly Hold[]): Violation[] {
  const violations: Violation[] = [];
  const certain = holds.filter(isCertain);
  const largest = new LargestToken(holds);
  const largestCertain = new LargestToken(certain);
  const largestAlone = new LargestToken(certain.filter(({ mode }) => mode === 'exclusive'));
  for (const hold of holds) {
    const apart = hold.mode === 'exclusive' ? largestCertain : largestAlone;
    const other = [
      largest.grantedBefore(hold.askedAtMs),
      isCertain(hold) ? apart.grantedBefore(hold.grantedAtMs) : undefined,
    ].find((each) => each !== undefined && each.token > hold.token);
    if (other === undefined) continue;
    violations.push({ rule: 'tokens', text: `${told(hold)} came after ${told(other)}` });
  }
  return violations;
}

/** In order of their grants; `again`: those whose token somebody had before. */
function repeatViolations(holds: readonly Hold[], again: ReadonlySet<Hold>): Violation[] {
  return holds.flatMap((hold, at) => {
    const before = holds.slice(0, at);
    if (again.has(hold)) {
      const same = before.filter(({ token }) => token === hold.token);
      const isHeld = ({ goneAtMs }: Hold): boolean => goneAtMs >= hold.askedAtMs;
      if (same.every((other) => isSameOwner(hold, other)) && same.some(isHeld)) return [];
      const text = `${told(hold)} has the token of ${told(same[0] as Hold)}`;
      return [{ rule: 'tokens' as const, text }];
    }
    const own = before.find(
      (other) =>
        isSameOwner(hold, other) &&
        other.token !== hold.token &&
        other.grantedAtMs < hold.askedAtMs &&
        other.untilMs > hold.grantedAtMs,
    );
    if (own === undefined) return [];
    const text = `${told(hold)} was ${told(own)} already`;
    return [{ rule: 'tokens' as const, text }];
  });
}

/** Answers which of the holds granted before an instant has the largest token. */
class LargestToken {
  readonly #grantedAtMs: readonly number[];
  readonly #largest: Hold[] = [];

  /** In order of their grants. */
  constructor(holds: readonly Hold[]) {
    this.#grantedAtMs = holds.map(({ grantedAtMs }) => grantedAtMs);
    for (const hold of holds) {
      const last = this.#largest.at(-1);
      this.#largest.push(last === undefined || hold.token > last.token ? hold : last);
    }
  }

  grantedBefore(atMs: number): Hold | undefined {
    let [low, high] = [0, this.#grantedAtMs.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#grantedAtMs[middle] as number) < atMs) low = middle + 1;
      else high = middle;
    }
    return this.#largest[low - 1];
  }
}

/**
 * Where nothing failed and all wait for the same: how many of those who asked more than `apartMs` later each of them had to let go first. Fair within one
 * position is at most 1; requests that are less apart may meet the authority in either order.
 */
export function orderViolations(holds: readonly Hold[], most: number, apartMs = 0): Violation[] {
  const byGrant = holds.toSorted((a, b) => a.grantedAtMs - b.grantedAtMs);
  return byGrant.flatMap((hold, at) => {
    const before = byGrant.slice(0, at);
    const later = before.filter(({ askedAtMs }) => askedAtMs > hold.askedAtMs + apartMs);
    if (later.length <= most) return [];
    return [{ rule: 'order' as const, text: `${told(hold)} came after ${later.length} others` }];
  });
}

const told = ({ id, name, mode, owner, token, grantedAtMs, untilMs }: Hold): string =>
  `${id}${owner === '' ? '' : ` of ${owner}`}, ${mode} "${name}" token ${token}, ${grantedAtMs.toFixed(1)} to ${untilMs.toFixed(1)}`;
