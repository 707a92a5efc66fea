/** What one sidecar asks for, in sessions. */
export interface Claim {
  /** It keeps these whatever others want. */
  readonly floor: number;
  /** More than these it must not have; at least `floor`. */
  readonly ceiling: number;
  /** It would use these now: in use and waited for. */
  readonly demand: number;
  /** Its share until now. */
  readonly held: number;
}

/**
 * Shares of `room` sessions, in the order of the claims: max–min fair by demand; what nobody asks for stays with those who hold it.
 * The same claims with their shares as `held` give the same shares. Only when floors alone exceed `room` do the shares.
 */
export function allocate(claims: readonly Claim[], room: number): number[] {
  const floors = claims.map(({ floor }) => floor);
  const wanted = claims.map(({ floor, ceiling, demand }) =>
    Math.max(floor, Math.min(demand, ceiling)),
  );
  const fair = raise(claims, floors, wanted, room);
  const kept = claims.map(({ ceiling, held }, at) =>
    Math.max(fair[at] ?? 0, Math.min(held, ceiling)),
  );
  return raise(claims, fair, kept, room);
}

/** Raises the lowest first, from `lower` to at most `upper`, until `room` is used up. */
function raise(
  claims: readonly Claim[],
  lower: readonly number[],
  upper: readonly number[],
  room: number,
): number[] {
  if (total(upper) <= room) return [...upper];
  if (total(lower) >= room) return [...lower];
  const level = highestLevel(lower, upper, room);
  const shares = lower.map((least, at) => between(level, least, upper[at] ?? least));
  let left = room - total(shares);
  // What does not go round once more goes to those who have it already: otherwise it would wander.
  for (const holders of [true, false]) {
    for (const [at, { held }] of claims.entries()) {
      if (left === 0) return shares;
      const share = shares[at] ?? 0;
      if (share !== level || share >= (upper[at] ?? 0) || held > level !== holders) continue;
      shares[at] = share + 1;
      left -= 1;
    }
  }
  return shares;
}

/** The highest level for all that `room` is enough for. */
function highestLevel(lower: readonly number[], upper: readonly number[], room: number): number {
  let [enough, tooMuch] = [0, room + 1];
  while (tooMuch - enough > 1) {
    const level = Math.floor((enough + tooMuch) / 2);
    let sum = 0;
    for (const [at, least] of lower.entries()) sum += between(level, least, upper[at] ?? least);
    if (sum <= room) enough = level;
    else tooMuch = level;
  }
  return enough;
}

const between = (value: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, value));

const total = (numbers: readonly number[]): number => {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
};
