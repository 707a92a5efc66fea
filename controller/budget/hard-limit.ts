import type { Condition } from '../../crds/status-fields.ts';
import type { BudgetTerms } from './budget-terms.ts';

/** A condition before it has a time. */
export type BudgetCondition = Pick<Condition, 'status' | 'reason' | 'message'> & {
  readonly type: 'Ready' | 'HardLimit' | 'BudgetTooSmall';
};

/** What the server says of itself with a listing. */
export interface ServerLimits {
  /** CONNECTION LIMIT of the role; -1 = none. */
  readonly role: number;
  /** CONNECTION LIMIT of the database; -1 = none. */
  readonly database: number;
  /** max_connections less what the server reserves; 0 or less = not told. */
  readonly server: number;
}

/** Condition HardLimit: whether the server itself holds the budget, and what SQL to run where it does not. */
export function hardLimit(
  { total, reserve }: Pick<BudgetTerms, 'total' | 'reserve'>,
  limits: ServerLimits | undefined,
): BudgetCondition {
  const room = total - reserve;
  const type = 'HardLimit';
  const no = (reason: string, message: string): BudgetCondition => {
    return { type, status: 'False', reason, message };
  };
  if (limits === undefined) {
    const message = 'no sidecar has listed the sessions of the server yet';
    return { type, status: 'Unknown', reason: 'NotListed', message };
  }
  const { role, database, server } = limits;
  if (server > 0 && server < total) {
    return no(
      'ServerTooSmall',
      `the server has ${server} sessions for others than superusers, and total is ${total}: lower total to ${server}, or raise max_connections (ALTER SYSTEM SET max_connections = …; restart)`,
    );
  }
  const set = [role, database].filter((limit) => limit >= 0);
  const least = Math.min(...set);
  const alterRole = `ALTER ROLE <role of the pods> CONNECTION LIMIT ${room};`;
  if (set.length === 0) {
    return no(
      'NoLimit',
      `neither role nor database has a CONNECTION LIMIT, so only the shares hold the budget: ${alterRole}`,
    );
  }
  // Where both are there the lower one counts.
  const name = role === least ? 'role' : 'database';
  const found = `the CONNECTION LIMIT of the ${name} is ${least}, and total - reserve is ${room}`;
  const change =
    name === 'role' ? alterRole : `ALTER DATABASE <database> CONNECTION LIMIT ${room};`;
  if (least > room) return no('LimitTooHigh', `${found}: ${change}`);
  if (least < room) {
    return no('LimitTooLow', `${found}, so pods are granted what the server refuses: ${change}`);
  }
  return {
    type,
    status: 'True',
    reason: 'Enforced',
    message: `the server refuses more than ${room} sessions (CONNECTION LIMIT of the ${name})`,
  };
}
