import { HoldfastError } from '../../platform/errors.ts';
import { controlStatement } from './control-statement.ts';
import type { ExchangeFailure, Step } from './exchange.ts';

const insertMark = controlStatement('INSERT INTO holdfast.commits (commit_id) VALUES ($1)');
const insertBar = controlStatement(
  'INSERT INTO holdfast.commits (commit_id, barred) VALUES ($1, true) ON CONFLICT (commit_id) DO NOTHING RETURNING true',
);
const selectBarred = controlStatement('SELECT barred FROM holdfast.commits WHERE commit_id = $1');

/** Marks the transaction that it is part of. Waits while another transaction with the same mark is open, and fails if that was committed. */
export const markCommit = (commitId: string): Step => ({ ...insertMark, params: [commitId] });

export const isMark = ({ profile }: Step): boolean => profile === insertMark.profile;

/** Returns a row if no transaction has the mark, and none will ever get it from now on. Waits for one that is open. */
export const barCommit = (commitId: string): Step => ({ ...insertBar, params: [commitId] });

/** Returns whether the mark was barred (`t`) or committed (`f`). */
export const commitBarred = (commitId: string): Step => ({ ...selectBarred, params: [commitId] });

/** What a failure of the mark means to whoever chose it; undefined when it was not the mark that failed. */
export function markError({ fields }: ExchangeFailure, pool: string): HoldfastError | undefined {
  const sqlstate = fields?.['C'];
  if (sqlstate === '23505' && fields?.['n'] === 'commits_pkey') {
    return new HoldfastError(
      'already-exists',
      'COMMIT_ID_USED',
      'work with this commit_id was committed already, or Outcome was asked for it and told that it will not be; Outcome says which',
      { target: pool },
    );
  }
  // No such table, no such schema, no right to it.
  if (sqlstate !== '42P01' && sqlstate !== '3F000' && sqlstate !== '42501') return undefined;
  return new HoldfastError(
    'precondition',
    'MIGRATION_REQUIRED',
    `a commit_id needs the table holdfast.commits, which the database of pool "${pool}" does not have or does not let this role use: run \`holdfast migrate\``,
    { target: pool },
  );
}
