import { lengthDelimited, varintField } from '../../../platform/protobuf-wire.ts';
import type { StatementResult } from '../../postgres/exchange.ts';

/** One page, its rows still encoded. */
export interface Page {
  /** Bytes of QueryResult, in one or more parts. */
  readonly parts: readonly Buffer[];
  readonly page: number;
  readonly pageSize: number;
  readonly hasMore: boolean;
  /** Undefined when nobody asked for it. */
  readonly total: number | undefined;
}

/** Field numbers of PageResult and QueryResult. */
const pageField = { result: 1, page: 2, pageSize: 3, hasMore: 4, total: 5 } as const;
const resultField = { rows: 2, rowsAffected: 3, command: 4 } as const;

/** The parts of a result that is one row shorter, without taking any row apart. Its last row has to exist. */
export function withoutLastRow({ parts, rows, command }: StatementResult): readonly Buffer[] {
  const at = parts.findLastIndex((part) => lastRowStart(part) !== undefined);
  const part = parts[at];
  if (part === undefined) throw new Error('a result that has no row cannot lose one');
  const tail = [
    varintField(resultField.rowsAffected, rows - 1),
    lengthDelimited(resultField.command, Buffer.from(command)),
  ];
  return [...parts.slice(0, at), Buffer.concat([part.subarray(0, lastRowStart(part)), ...tail])];
}

/** Where the last row of a part begins: a part is columns, then rows, then the tail. */
function lastRowStart(part: Buffer): number | undefined {
  let start: number | undefined;
  let at = 0;
  while (at < part.length) {
    const tag = part[at] as number; // fields 1 to 4: the tag is one byte
    const field = tag >>> 3;
    if (field > resultField.rows) break;
    if (field === resultField.rows) start = at;
    let bytes = 0;
    let shift = 0;
    at += 1;
    for (let more = true; more; shift += 7) {
      const byte = part[at] as number;
      bytes += (byte & 0x7f) * 2 ** shift;
      more = byte > 0x7f;
      at += 1;
    }
    at += bytes;
  }
  return start;
}

/** A PageResult in one message. */
export const pageMessage = (page: Page): Buffer =>
  Buffer.concat([lengthDelimited(pageField.result, ...page.parts), numbers(page)]);

/** A PageResult in as many messages as the result has parts: each holds some rows, the last one the rest. */
export function pageMessages(page: Page): readonly Buffer[] {
  const last = page.parts.length - 1;
  return page.parts.map((part, at) => {
    const result = lengthDelimited(pageField.result, part);
    return at < last ? result : Buffer.concat([result, numbers(page)]);
  });
}

function numbers({ page, pageSize, hasMore, total }: Page): Buffer {
  return Buffer.concat([
    varintField(pageField.page, page),
    varintField(pageField.pageSize, pageSize),
    ...(hasMore ? [varintField(pageField.hasMore, 1)] : []),
    ...(total === undefined ? [] : [uint64Field(pageField.total, total)]),
  ]);
}

/** For counts up to 2^53. */
function uint64Field(field: number, value: number): Buffer {
  const bytes = [field << 3];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
