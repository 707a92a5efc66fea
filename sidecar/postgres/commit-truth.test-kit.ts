import { randomUUID } from 'node:crypto';
import type { Fault, ProxiedMessage } from '../../scripts/faults/fault.ts';
import { FaultProxy } from '../../scripts/faults/fault-proxy.ts';
import { startPgBouncer } from '../../scripts/servers/pgbouncer.ts';
import { testDatabase } from '../../scripts/servers/test-database.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { aCall, beside, openDatabase, plainBegin } from './database.test-kit.ts';
import type { Database } from './database.ts';

/** Where between its sending and its answer a commit is cut. */
export type CutPoint = 'before COMMIT is sent' | 'in flight' | 'applied' | 'on the way back';
export const cutPoints: readonly CutPoint[] = [
  'before COMMIT is sent',
  'in flight',
  'applied',
  'on the way back',
];

/** How work is committed. */
export type Kind = 'transaction' | 'batch' | 'autocommit' | 'autocommit with commit_id';
export const kinds: readonly Kind[] = [
  'transaction',
  'batch',
  'autocommit',
  'autocommit with commit_id',
];

/** What the caller was told. */
export interface Report {
  readonly id: string;
  readonly told: 'committed' | HoldfastError['reason'];
}

export interface Truth {
  readonly database: Database;
  /** How often a commit was cut. */
  readonly hits: number;
  /** Cuts commits at this point from now on; undefined for none. */
  cut(point: CutPoint | undefined, kind: Kind): void;
  write(kind: Kind): Promise<Report>;
  /** Ids in the table, and how often each is there. */
  rows(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

const insertSql = 'insert into truth values ($1)';

/** A database behind a proxy that cuts commits; between it and the pool there may be a pooler. */
export async function openTruth({ pgbouncer }: { readonly pgbouncer: boolean }): Promise<Truth> {
  const server = await testDatabase();
  await beside(server.url, (client) => client.query('create table truth (id uuid not null)'));
  const { hostname, port } = new URL(server.url);
  const proxy = await FaultProxy.to({ host: hostname, port: Number(port) }, 'postgresql');
  const bouncer = pgbouncer ? await startPgBouncer(proxy.through(server.url), 12) : undefined;
  const pool = openDatabase(bouncer?.url ?? proxy.through(server.url), {
    pool: { max: 12 },
    // Before 1.21 it carries none of them over to the next session.
    preparedStatements: bouncer === undefined,
  });
  const { database } = pool;
  let hits = 0;

  const committing = (message: ProxiedMessage, kind: Kind): boolean =>
    message.text === (kind === 'autocommit' ? insertSql : 'COMMIT');
  const faultAt = (point: CutPoint, kind: Kind, message: ProxiedMessage): Fault | undefined => {
    const fromClient = message.from === 'client';
    // An autocommit write is committed at its Sync and told by ReadyForQuery.
    const answer = kind === 'autocommit' ? 'ReadyForQuery' : 'CommandComplete';
    const isAnswer =
      message.type === answer &&
      (kind === 'autocommit' ? writing.has(message.connection) : message.text === 'COMMIT');
    if (fromClient && message.type === 'Bind' && message.text === insertSql) {
      writing.add(message.connection);
    }
    switch (point) {
      case 'before COMMIT is sent':
        return fromClient && message.type === 'Bind' && committing(message, kind)
          ? { cut: 'before' }
          : undefined;
      case 'in flight':
        return fromClient && message.type === 'Execute' && committing(message, kind)
          ? { cut: 'after' }
          : undefined;
      case 'applied':
        return isAnswer ? { cut: 'before' } : undefined;
      case 'on the way back':
        return isAnswer ? { cut: 'within' } : undefined;
      default:
        return point satisfies never;
    }
  };
  const writing = new Set<number>();

  const commit = async (kind: Kind, id: string): Promise<void> => {
    const statement = { sql: insertSql, params: [id] };
    const call = aCall(15_000);
    switch (kind) {
      case 'transaction': {
        const transaction = database.begin(plainBegin, call);
        await transaction.query(statement, call);
        return transaction.commit(call);
      }
      case 'batch':
        await database.atomicBatch([statement], call);
        return undefined;
      case 'autocommit':
        await database.query(statement, call);
        return undefined;
      case 'autocommit with commit_id':
        await database.query(statement, call, { commitId: id });
        return undefined;
      default:
        return kind satisfies never;
    }
  };

  return {
    database,
    get hits() {
      return hits;
    },
    cut: (point, kind) => {
      let spared = 0;
      proxy.rule =
        point === undefined
          ? undefined
          : (message) => {
              const fault = faultAt(point, kind, message);
              if (fault === undefined) return undefined;
              // Every fifth is let through: work that is repeated gets somewhere, too.
              spared += 1;
              if (spared % 5 === 0) return undefined;
              hits += 1;
              return fault;
            };
    },
    write: async (kind) => {
      const id = randomUUID();
      const told = await commit(kind, id).then(
        () => 'committed' as const,
        (error: unknown) => HoldfastError.from(error).reason,
      );
      return { id, told };
    },
    rows: () =>
      beside(server.url, async (client) => {
        const { rows } = await client.query<{ id: string; count: string }>(
          'select id, count(*) from truth group by id',
        );
        return new Map(rows.map(({ id, count }) => [id, Number(count)]));
      }),
    close: async () => {
      proxy.rule = undefined;
      await pool.close();
      await bouncer?.stop();
      await proxy[Symbol.asyncDispose]();
      await server.drop();
    },
  };
}
