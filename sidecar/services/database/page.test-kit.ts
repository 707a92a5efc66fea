import { Call } from '../../../platform/call.ts';
import type {
  PageRequest,
  PageRequest__Output,
} from '../../../platform/gen/holdfast/v1/PageRequest.ts';
import { loaderOptions, loadMessages } from '../../../platform/grpc/contract.ts';
import { Encoded } from '../../../platform/grpc/encoded.ts';
import type { Statement } from '../../postgres/exchange.ts';
import type { Database } from '../../postgres/database.ts';
import { OpenScope } from '../../grpc/open-scope.ts';
import { readPage } from './page.ts';
import { pageMessages } from './page-answer.ts';

const messages = loadMessages();
const requestType = messages.lookupType('holdfast.v1.PageRequest');
const resultType = messages.lookupType('holdfast.v1.PageResult');

/** A request as it comes off the wire. */
export function pageRequest(request: PageRequest): PageRequest__Output {
  const bytes = requestType.encode(requestType.fromObject(request)).finish();
  return requestType.toObject(requestType.decode(bytes), loaderOptions) as PageRequest__Output;
}

type Cells = readonly (string | null)[];

export interface DecodedPage {
  readonly columns: readonly string[];
  readonly rows: readonly Cells[];
  readonly rowsAffected: string;
  readonly command: string;
  readonly page: number;
  readonly pageSize: number;
  readonly hasMore: boolean;
  readonly total?: string;
}

interface ResultPart {
  readonly result?: {
    readonly columns?: readonly { readonly name: string }[];
    readonly rows?: readonly { readonly cells?: readonly { readonly text?: string }[] }[];
    readonly rowsAffected?: string;
    readonly command?: string;
  };
  readonly page?: number;
  readonly pageSize?: number;
  readonly hasMore?: boolean;
  readonly total?: string;
}

/** Decodes an answer part by part and merges the parts, as a session's client does. */
export function decodePage({ parts }: Encoded): DecodedPage {
  const decoded = parts.map(
    (part) => resultType.toObject(resultType.decode(part), { longs: String }) as ResultPart,
  );
  const last = decoded.at(-1);
  return {
    columns: decoded.flatMap(({ result }) => result?.columns ?? []).map(({ name }) => name),
    rows: decoded
      .flatMap(({ result }) => result?.rows ?? [])
      .map(({ cells = [] }) => cells.map(({ text }) => text ?? null)),
    rowsAffected: last?.result?.rowsAffected ?? '0',
    command: last?.result?.command ?? '',
    page: last?.page ?? 0,
    pageSize: last?.pageSize ?? 0,
    hasMore: last?.hasMore ?? false,
    ...(last?.total === undefined ? {} : { total: last.total }),
  };
}

/** A call that nobody cancels. */
export const freeCall = (): Call => new Call({ scope: new OpenScope(), deadlineAtMs: Infinity });

/** Reads one page and tells `onStatement` of each statement that is run for it. */
export async function readPageOf(
  database: Database,
  request: PageRequest,
  onStatement: (statement: Statement) => void = () => {},
): Promise<DecodedPage> {
  const page = await readPage(pageRequest(request), (statement) => {
    onStatement(statement);
    return database.query(statement, freeCall());
  });
  return decodePage(new Encoded(...pageMessages(page)));
}
