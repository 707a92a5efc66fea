/** Messages as PostgreSQL sends them. https://www.postgresql.org/docs/current/protocol-message-formats.html */

interface DescribedColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typeModifier: number;
}

/** A whole message: its code, its length, its body. */
export function message(code: string, ...body: readonly Buffer[]): Buffer {
  const rest = Buffer.concat(body);
  return Buffer.concat([Buffer.from(code, 'latin1'), int32(4 + rest.length), rest]);
}

export const rowDescription = (columns: readonly DescribedColumn[]): Buffer =>
  message(
    'T',
    int16(columns.length),
    ...columns.flatMap(({ name, typeOid, typeModifier }) => [
      cstring(name),
      int32(1234), // table
      int16(7), // attribute
      int32(typeOid),
      int16(-1), // size
      int32(typeModifier),
      int16(0), // text
    ]),
  );

export const dataRow = (cells: readonly (string | null)[]): Buffer =>
  message(
    'D',
    int16(cells.length),
    ...cells.flatMap((cell) => {
      if (cell === null) return [int32(-1)];
      const bytes = Buffer.from(cell);
      return [int32(bytes.length), bytes];
    }),
  );

export const commandComplete = (tag: string): Buffer => message('C', cstring(tag));

export const errorResponse = (fields: Readonly<Record<string, string>>): Buffer =>
  message(
    'E',
    ...Object.entries(fields).flatMap(([letter, text]) => [Buffer.from(letter), cstring(text)]),
    Buffer.of(0),
  );

/** Where the body of a message begins. */
export const bodyAt = 5;

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value & 0xffff);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

export const cstring = (text: string): Buffer => Buffer.from(`${text}\0`);
