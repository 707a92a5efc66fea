import { HoldfastError } from '../../../platform/errors.ts';
import type { PageRequest__Output } from '../../../platform/gen/holdfast/v1/PageRequest.ts';
import { decodeRows } from '../../postgres/result-decoder.ts';
import { withoutLastRow, type Page } from './page-answer.ts';
import { quoteIdentifier } from './page-name.ts';
import { findRelation, type RunStatement } from './page-relation.ts';
import { pageQuery, type PageQuery } from './page-request.ts';
import { pageStatements } from './page-sql.ts';

const insufficientPrivilege = '42501';
const mostColumnsTold = 10;

/** Reads one page: asks the catalogue, then for the rows and one more, then, if need be, for their number. */
export async function readPage(request: PageRequest__Output, run: RunStatement): Promise<Page> {
  const query = pageQuery(request);
  const relation = await findRelation(query.table, run);
  const { rows, count, columns } = pageStatements(query, relation);
  const { page, pageSize } = query;
  try {
    const result = await run(rows);
    const hasMore = result.rows > pageSize;
    const parts = hasMore ? withoutLastRow(result) : result.parts;
    const shown = Math.min(result.rows, pageSize);
    const total = query.withTotal
      ? await totalOf(query, shown, hasMore, async () =>
          Number(decodeRows(await run(count))[0]?.[0]),
        )
      : undefined;
    return { parts, page, pageSize, hasMore, total };
  } catch (thrown) {
    throw withColumns(HoldfastError.from(thrown), columns);
  }
}

/** A page that shows the end needs no count. Rows that come and go between the two statements never make them contradict each other. */
async function totalOf(
  { page, pageSize }: PageQuery,
  shown: number,
  hasMore: boolean,
  count: () => Promise<number>,
): Promise<number> {
  const before = (page - 1) * pageSize;
  if (hasMore) return Math.max(await count(), before + shown + 1);
  return shown > 0 || before === 0 ? before + shown : Math.min(await count(), before);
}

/** PostgreSQL says which table may not be read, not why: it may be that a single column may not. */
function withColumns(error: HoldfastError, columns: readonly string[]): HoldfastError {
  const { kind, reason, message, target, retryAfterMs, metadata, cause } = error;
  if (metadata['sqlstate'] !== insufficientPrivilege) return error;
  const told = columns.slice(0, mostColumnsTold).map(quoteIdentifier).join(', ');
  const rest =
    columns.length > mostColumnsTold ? ` and ${columns.length - mostColumnsTold} more` : '';
  return new HoldfastError(
    kind,
    reason,
    `${message}; this page reads the columns ${told}${rest}: its fields, those of its filters and sort, and the primary key`,
    {
      ...(target === undefined ? {} : { target }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      metadata,
      cause,
    },
  );
}
