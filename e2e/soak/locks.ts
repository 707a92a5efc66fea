import { runFleet } from '../locks/fleet-run.ts';

/** A round is as long as this, ms; more rounds rather than longer ones, so that a history can be read. */
const roundMs = 60_000;

/** Locks over both authorities by turns, for so many minutes; resolves with the exit code. */
export async function soakLocks(minutes: number, seed: number): Promise<0 | 1> {
  const untilMs = performance.now() + minutes * 60_000;
  const broken: string[] = [];
  const kept = { grants: 0, losses: 0, commits: 0, resolved: 0 };
  for (let round = 0; performance.now() < untilMs; round += 1) {
    const authority = round % 2 === 0 ? 'Redis' : 'Postgres';
    const roundSeed = seed + round;
    const verdict = await runFleet({
      authority,
      seed: roundSeed,
      sidecars: 6,
      clients: 20,
      locks: 10,
      ttlMs: 1_000,
      forMs: Math.max(5_000, Math.min(roundMs, untilMs - performance.now())),
    });
    const { grants, losses, commits, resolved, happened } = verdict;
    kept.grants += grants;
    kept.losses += losses;
    kept.commits += commits;
    kept.resolved += resolved;
    const faults = [...happened].map(([name, count]) => `${count} × ${name}`).join(', ');
    console.log(
      `${authority}, --seed ${roundSeed}: ${grants} grants, ${losses} lost, ${commits} commits (${resolved} asked for); ${faults}`,
    );
    broken.push(...verdict.broken.map((each) => `${authority}, --seed ${roundSeed}: ${each}`));
  }
  console.log('\n  checked  broken  promise');
  const wrong = (rules: readonly string[]): number =>
    broken.filter((each) => rules.some((rule) => each.includes(` ${rule}: `))).length;
  const line = (checked: number, count: number, promise: string): void =>
    console.log(`${`${checked}`.padStart(9)}${`${count}`.padStart(8)}  ${promise}`);
  line(kept.grants, wrong(['exclusion']), 'a lock keeps out whom it has to');
  line(kept.grants, wrong(['tokens']), 'a later holder has the larger token');
  line(
    kept.commits,
    wrong(['updates']),
    'no update under a fence is lost, and none is told that is not there',
  );
  for (const each of broken.slice(0, 20)) console.log(`BROKEN ${each}`);
  console.log(broken.length === 0 ? '\nevery promise was kept' : '');
  return broken.length === 0 ? 0 : 1;
}
