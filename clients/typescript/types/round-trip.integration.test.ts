import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../../sidecar/sidecar.test-kit.ts';
import { connect, type Database, type Holdfast } from '../index.ts';

let database: TestDatabase;
let sidecar: TestSidecar;
let holdfast: Holdfast;
let db: Database;

beforeAll(async () => {
  database = await testDatabase();
  sidecar = await startSidecar({ databaseUrl: database.url });
  holdfast = connect({ address: sidecar.address });
  db = holdfast.database();
  await db.query("create type mood as enum ('sad', 'it''s ok', 'very \"happy\"')");
  await db.query('create type pair as (a int4, b text)');
  await db.query('create domain positive as int4 check (value > 0)');
});

afterAll(async () => {
  await holdfast.close();
  await sidecar.stop();
  await database.drop();
});

/** What comes back for a parameter of the type. */
async function through(type: string, value: unknown): Promise<unknown> {
  const { rows } = await db.query(`select $1::${type} as value`, [value]);
  return rows[0]?.['value'];
}

const word = fc
  .string({ unit: 'grapheme', maxLength: 30 })
  .map((text) => text.replaceAll('\0', ''))
  .filter((text) => text.isWellFormed());

const digits = (max: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.integer({ min: 0, max: 9 }).map(String), minLength: 1, maxLength: max });
const decimal = fc
  .tuple(fc.boolean(), digits(40), fc.option(digits(30)))
  .map(([negative, whole, fraction]) => {
    const text = BigInt(whole).toString() + (fraction === null ? '' : `.${fraction}`);
    return negative && /[1-9]/.test(text) ? `-${text}` : text;
  });

const two = (max: number, min = 0): fc.Arbitrary<string> =>
  fc.integer({ min, max }).map((part) => String(part).padStart(2, '0'));
const day = fc
  .tuple(fc.integer({ min: 1, max: 9999 }), two(12, 1), two(28, 1))
  .map(([year, month, date]) => `${String(year).padStart(4, '0')}-${month}-${date}`);
const micros = fc
  .integer({ min: 0, max: 999_999 })
  .map((part) => (part === 0 ? '' : `.${String(part).padStart(6, '0').replace(/0+$/, '')}`));
const timeOfDay = fc
  .tuple(two(23), two(59), two(59), micros)
  .map(([hour, minute, second, fraction]) => `${hour}:${minute}:${second}${fraction}`);
const timestamp = fc.tuple(day, timeOfDay).map((parts) => parts.join(' '));
const infinite = (values: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof({ weight: 9, arbitrary: values }, fc.constantFrom('infinity', '-infinity'));
const interval = fc
  .tuple(fc.nat(99), fc.nat(11), fc.nat(29), timeOfDay)
  .map(([years, months, days, time]) => `${years} years ${months} mons ${days} days ${time}`);

const json = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll('\\u0000', '')) as unknown)
  .filter((value) => value !== null && JSON.stringify(value).isWellFormed())
  .filter((value) => !/\\ud[89a-f]/i.test(JSON.stringify(value)));
/** Arrays of JavaScript are arrays of PostgreSQL: JSON that is not an object goes as text. */
const asJson = (value: unknown): unknown =>
  typeof value === 'object' && !Array.isArray(value) ? value : JSON.stringify(value);

const int4 = fc.integer();
const int8 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

/** Types whose values come back exactly as they were given. */
const exact: Record<string, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  int2: fc.integer({ min: -32_768, max: 32_767 }),
  int4,
  int8,
  oid: fc.nat(0xffff_ffff),
  float8: fc.double(),
  numeric: fc.oneof(decimal, fc.constantFrom('NaN', 'Infinity', '-Infinity')),
  text: word,
  varchar: word,
  bytea: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  uuid: fc.uuid(),
  date: infinite(day),
  time: timeOfDay,
  timestamp: infinite(timestamp),
  timestamptz: infinite(timestamp.map((text) => `${text}+00`)),
  mood: fc.constantFrom('sad', "it's ok", 'very "happy"'),
  positive: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  inet: fc.ipV4().map((address) => `${address}/24`),
  macaddr: fc.constant('08:00:2b:01:02:03'),
  bit: fc.constantFrom('0', '1'),
  varbit: fc.string({ unit: fc.constantFrom('0', '1') }),
  point: fc.constant('(1.5,-2)'),
  box: fc.constant('(2,2),(1,1)'),
  tsvector: fc.constant("'a':1 'b':2"),
  pg_lsn: fc.constant('16/B374D848'),
  int4range: fc
    .tuple(fc.integer({ min: -1000, max: 0 }), fc.integer({ min: 1, max: 1000 }))
    .map(([from, to]) => `[${from},${to})`),
  numrange: fc.constantFrom('empty', '(,)', '[1.5,2.5]', '(-Infinity,1]'),
  daterange: fc.constantFrom('[2026-01-01,2026-02-01)', '(,2026-01-01)', '[2026-01-01,infinity)'),
  tstzrange: fc.constant('["2026-01-01 00:00:00+00","2026-01-02 00:00:00.000001+00")'),
  int8multirange: fc.constantFrom('{}', '{[1,3),[5,9)}'),
  'bool[]': fc.array(fc.option(fc.boolean())),
  'int4[]': fc.array(fc.option(int4)),
  'int8[]': fc.array(fc.option(int8)),
  'float8[]': fc.array(fc.option(fc.double())),
  'numeric[]': fc.array(fc.option(decimal)),
  'text[]': fc.array(fc.option(word)),
  'text[][]': fc.array(fc.tuple(fc.option(word), word), { minLength: 1 }),
  'int4[][][]': fc.array(fc.tuple(fc.tuple(int4, int4)), { minLength: 1 }),
  'bytea[]': fc.array(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
  'timestamptz[]': fc.array(infinite(timestamp.map((text) => `${text}+00`))),
  'jsonb[]': fc.array(fc.dictionary(fc.constantFrom('a', 'b"', '\\'), int4)),
  'int4range[]': fc.array(fc.constantFrom('[1,3)', 'empty')),
};

test.each(Object.entries(exact))('%s comes back as it was given', async (type, values) => {
  await fc.assert(
    fc.asyncProperty(values, async (value) => {
      expect(await through(type, value)).toEqual(value);
    }),
    { numRuns: 100 },
  );
});

test.each([...Object.keys(exact), 'float4', 'interval', 'json', 'jsonb', 'pair', 'xml', 'name'])(
  'NULL of type %s is null',
  async (type) => {
    expect(await through(type, null)).toBeNull();
  },
);

test('interval reads back as the same interval', async () => {
  await fc.assert(
    fc.asyncProperty(interval, async (value) => {
      const given = await through('interval', value);
      expect(await through('interval', given)).toBe(given);
      const { rows } = await db.query(
        'select $1::interval is not distinct from $2::interval as same',
        [value, given],
      );
      expect(rows).toEqual([{ same: true }]);
    }),
    { numRuns: 100 },
  );
});

test.each(['json', 'jsonb'])('%s comes back as the same value', async (type) => {
  await fc.assert(
    fc.asyncProperty(json, async (value) => {
      expect(await through(type, asJson(value))).toEqual(value);
    }),
    { numRuns: 100 },
  );
});

test('a composite value reads back, whatever its fields hold', async () => {
  await fc.assert(
    fc.asyncProperty(fc.option(int4), fc.option(word), async (a, b) => {
      const { rows } = await db.query('select row($1::int4, $2::text)::pair as value', [a, b]);
      const text = rows[0]?.['value'];
      const back = await db.query('select ($1::pair).*', [text]);
      expect(back.rows).toEqual([{ a, b }]);
    }),
    { numRuns: 100 },
  );
});

test('a Date arrives as the same instant', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.date({
        noInvalidDate: true,
        min: new Date('-004000-01-01T00:00:00Z'),
        max: new Date('+200000-01-01T00:00:00Z'),
      }),
      async (date) => {
        const { rows } = await db.query(
          'select (extract(epoch from $1::timestamptz) * 1000)::int8 as ms',
          [date],
        );
        expect(rows).toEqual([{ ms: BigInt(date.getTime()) }]);
      },
    ),
    { numRuns: 100 },
  );
});

test('a number for a numeric, and a bigint beyond int8, lose nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.bigInt(),
      async (double, big) => {
        expect(Number(await through('numeric', double))).toBe(double === 0 ? 0 : double);
        expect(await through('numeric', big)).toBe(String(big));
      },
    ),
    { numRuns: 100 },
  );
});

test('float4 comes back as the same float, in its shortest decimal form', async () => {
  await fc.assert(
    fc.asyncProperty(fc.float(), async (value) => {
      expect(Math.fround((await through('float4', value)) as number)).toBe(value);
    }),
    { numRuns: 100 },
  );
});

test('an array with bounds of its own comes without them', async () => {
  expect(await through('int4[]', '[5:6]={1,2}')).toEqual([1, 2]);
});

test('a text with U+0000 is refused', async () => {
  await expect(through('text', 'a\0b')).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });
});
