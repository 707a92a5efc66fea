import protobuf from 'protobufjs';
import type { StatementResult } from './exchange.ts';

/** Cells of one row in PostgreSQL's text format, in the order of the columns; null for NULL. */
export type DecodedRow = readonly (string | null)[];

/** Tags of fields that hold a message or a string: field number and wire type 2. */
const tag = {
  resultRows: (2 << 3) | 2, // QueryResult.rows
  rowCells: (1 << 3) | 2, // Row.cells
  cellText: (1 << 3) | 2, // Cell.text
} as const;

/** The rows of a result, for statements that the sidecar asks on its own account. Results of callers are passed on as they are. */
export function decodeRows({ parts }: Pick<StatementResult, 'parts'>): readonly DecodedRow[] {
  const rows: DecodedRow[] = [];
  for (const part of parts) {
    const reader = protobuf.Reader.create(part);
    eachField(reader, reader.len, tag.resultRows, () => rows.push(decodeRow(reader)));
  }
  return rows;
}

function decodeRow(reader: protobuf.Reader): DecodedRow {
  const cells: (string | null)[] = [];
  eachField(reader, endOfMessage(reader), tag.rowCells, () => {
    let text: string | null = null;
    eachField(reader, endOfMessage(reader), tag.cellText, () => {
      text = reader.string();
    });
    cells.push(text);
  });
  return cells;
}

function endOfMessage(reader: protobuf.Reader): number {
  const bytes = reader.uint32();
  return reader.pos + bytes;
}

/** Calls `take`, which reads the value, at each field with the tag; skips the others. */
function eachField(reader: protobuf.Reader, end: number, wanted: number, take: () => void): void {
  while (reader.pos < end) {
    const found = reader.uint32();
    if (found === wanted) take();
    else reader.skipType(found & 7);
  }
}
