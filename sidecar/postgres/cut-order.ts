import type { Exchange, TransactionStatus } from './exchange.ts';

/** What is lost when a connection is cut in the middle of its work. */
export const loss = { idle: 0, read: 1, transaction: 2, write: 3, commit: 4 } as const;

/** Of a connection whose session has this status and runs these exchanges. */
export function lossOf(
  status: TransactionStatus,
  running: readonly { readonly exchange: Exchange }[],
): number {
  const profiles = running.flatMap(({ exchange }) => exchange.steps.map(({ profile }) => profile));
  if (profiles.some(({ sql }) => sql === 'COMMIT')) return loss.commit;
  // Nothing of it has happened until then.
  if (status !== 'I' || profiles[0]?.sql.startsWith('BEGIN') === true) return loss.transaction;
  return profiles.every(({ reads }) => reads) ? loss.read : loss.write;
}
