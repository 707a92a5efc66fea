import type { Account } from './account.ts';
import type { SessionRow } from './share-messages.ts';

/** Whose the listed sessions are. `foreign`: how many come from addresses that are not in the books. */
export function sortRows(
  accounts: readonly Account[],
  rows: readonly SessionRow[],
): { owned: Map<Account, SessionRow[]>; foreign: number } {
  const byAddress = Map.groupBy(accounts, ({ address }) => address);
  const owned = new Map<Account, SessionRow[]>();
  let foreign = 0;
  for (const row of rows) {
    const there = byAddress.get(row.address) ?? [];
    // An address is used again by another pod: what the newer does not claim is the silent one's.
    const owner =
      there.find((account) => account.claims(row.port)) ??
      there.find(({ live }) => !live) ??
      there[0];
    if (owner === undefined) foreign += 1;
    else append(owned, owner, row);
  }
  return { owned, foreign };
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
