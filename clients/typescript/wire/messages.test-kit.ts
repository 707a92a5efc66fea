import fc from 'fast-check';
import type { ResultFormat } from './query-result.ts';

/** Generators of messages of the contract, as plain objects that protobufjs takes. */

export const text = fc.string({ unit: 'grapheme', maxLength: 200 });

export const objects: ResultFormat = { types: {}, rowMode: 'object' };
export const arrays: ResultFormat = { types: {}, rowMode: 'array' };

/** A result of text columns with different names: what its rows mean needs no decoder. */
export const queryResult = fc
  .uniqueArray(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 6 })
  .chain((names) =>
    fc.record({
      columns: fc.constant(
        names.map((name, index) => ({ name, typeOid: 25, typeModifier: index - 1 })),
      ),
      rows: fc.array(
        fc
          .array(fc.option(text), { minLength: names.length, maxLength: names.length })
          .map((cells) => ({ cells: cells.map((cell) => (cell === null ? {} : { text: cell })) })),
        { maxLength: 5 },
      ),
      rowsAffected: fc.nat(2 ** 40),
      command: fc.constantFrom('SELECT', 'INSERT', 'CREATE TABLE', ''),
    }),
  );

export interface GeneratedResult {
  readonly columns: readonly { name: string; typeOid: number; typeModifier: number }[];
  readonly rows: readonly { readonly cells: readonly { readonly text?: string }[] }[];
  readonly rowsAffected: number;
  readonly command: string;
}

/** What decoding a generated result in row mode `array` has to give. */
export const expectedArrays = ({ columns, rows, rowsAffected, command }: GeneratedResult) => ({
  columns,
  rows: rows.map(({ cells }) => cells.map((cell) => cell.text ?? null)),
  rowsAffected,
  command,
});

export const status = fc.record({
  code: fc.integer({ min: 1, max: 16 }),
  message: text,
  details: fc.constant([]),
});
