import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasPgBouncer, installPgBouncerLine } from '../../scripts/servers/pgbouncer.ts';
import { cutPoints, kinds, openTruth, type Report, type Truth } from './commit-truth.test-kit.ts';

const hitsPerPoint = 100;
const lanes = 8;

/** Errors that promise that nothing was committed. */
const nothing: ReadonlySet<string> = new Set(['TRANSACTION_ROLLED_BACK', 'CONNECTION_LOST']);

const routes = [
  { route: 'straight to PostgreSQL', pgbouncer: false, missing: false },
  { route: 'by way of PgBouncer', pgbouncer: true, missing: !hasPgBouncer() },
];

describe.each(routes)('row "connection cut in COMMIT", $route', ({ pgbouncer, missing }) => {
  const because = missing ? ` (skipped without PgBouncer: ${installPgBouncerLine})` : '';
  let truth: Truth;
  beforeAll(async () => {
    if (!missing) truth = await openTruth({ pgbouncer });
  });
  afterAll(() => truth?.close());

  describe.each(kinds)('%s', (kind) => {
    test.skipIf(missing).each(cutPoints)(
      `cut %s: what is told is true${because}`,
      async (point) => {
        const before = truth.hits;
        const reports: Report[] = [];
        truth.cut(point, kind);
        const lane = async (): Promise<void> => {
          while (truth.hits - before < hitsPerPoint) reports.push(await truth.write(kind));
        };
        await Promise.all(Array.from({ length: lanes }, lane));
        truth.cut(undefined, kind);
        const rows = await truth.rows();

        const wrong = reports.filter(({ id, told }) => {
          const there = rows.get(id) ?? 0;
          if (told === 'committed') return there !== 1;
          if (nothing.has(told)) return there !== 0;
          // Nobody can be asked about a transaction that never had a name.
          return kind !== 'autocommit' || told !== 'COMMIT_UNKNOWN' || there > 1;
        });
        expect(wrong).toEqual([]);
        expect(truth.hits - before).toBeGreaterThanOrEqual(hitsPerPoint);
      },
    );
  });
});
