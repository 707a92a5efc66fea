import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sqlTokens, unclear } from './sql-tokens.ts';

const tokens = (sql: string): readonly string[] => [...sqlTokens(sql)];

describe('words and signs', () => {
  test.each([
    ['SELECT a_1, B.c FROM "T x" t', ['select', 'a_1', ',', 'b', '.', 'c', 'from', '"T x', 't']],
    ['\t\n\r\f\vselect', ['select']],
    ['a$b$c', ['a$b$c']],
    ['"a""b"', ['"a', '"b']],
    ['U&"\\0061" u & 1', ['u&"', 'u', '&', '1']],
    ['x::int[2] -> $1', ['x', ':', ':', 'int', '[', '2', ']', '-', '>', '$', '1']],
    ['', []],
    ['"never closed', ['"never close']],
  ])('%j is %j', (sql, expected) => {
    expect(tokens(sql)).toEqual(expected);
  });

  test('letters above ASCII are letters, and are not folded into ASCII ones', () => {
    expect(tokens('GRÖSSE ना💡(\u212Aommit)')).toEqual(['GRÖSSE', 'ना💡', '(', '\u212Aommit', ')']);
    expect(tokens('\u00a0commit \ufeffcommit')).toEqual(['\u00a0commit', '\ufeffcommit']);
  });
});

describe('comments', () => {
  test.each([
    '/* x */ commit',
    '/* /* ; */ select */commit',
    '/**/commit',
    '/***/commit',
    '/*/*/ ; */*/ commit',
    '/*/ ; */commit',
    '-- select\ncommit',
    '-- select\rcommit',
    '--\r\ncommit',
    'commit -- the end',
    'commit /* never closed',
    "commit /* ' */ -- '",
    '/* -- */ commit',
    '-- /*\ncommit',
  ])('%j leaves its one word', (sql) => {
    expect(tokens(sql)).toEqual(['commit']);
  });

  test('signs before a comment are signs, as an operator ends where a comment begins', () => {
    expect(tokens('1 */* c */ 2 +-- c\n3')).toEqual(['1', '*', '2', '+', '3']);
  });
});

describe('the insides of a literal are left out', () => {
  test.each([
    [`'it''s; commit'`],
    [`'\\'`],
    [`E'\\'; commit'`],
    [`e'a''\\'; commit'`],
    [`E'a'\n'\\'; commit'`],
    [`E'a' -- 'b\n  \f\n'\\'; commit'`],
    [`E'a'\r'b'\n'\\'; commit'`],
    [`U&'d\\0061t'`],
    [`N'commit'`],
    [`b'01' x'ff'`],
    ['$$ commit $$'],
    ['$a$ $$ $b$ $a $ commit $a$'],
    ["$💡$ ' $💡$"],
    ['$ना_1$ " $ना_1$'],
    [`'never closed; commit`],
    [`E'never closed \\'; commit`],
    ['$never$ closed; commit'],
  ])('%j', (literal) => {
    expect(tokens(`select ${literal}`)).toEqual(['select']);
  });

  test('a plain string beside an escape string on the same line has no escapes', () => {
    expect(tokens(`E'a' '\\', b`)).toEqual([',', 'b']);
    expect(tokens(`E'a'/*\n*/'\\', b`)).toEqual([',', 'b']);
  });

  test('a string prefix inside a word is none', () => {
    expect(tokens(`type'\\', b`)).toEqual(['type', ',', 'b']);
    expect(tokens(`_e'\\', b`)).toEqual(['_e', ',', 'b']);
  });

  test('a dollar sign inside a word, or before a number, opens nothing', () => {
    expect(tokens('a$$ commit')).toEqual(['a$$', 'commit']);
    expect(tokens('$1, $2')).toEqual(['$', '1', ',', '$', '2']);
  });
});

describe('numbers', () => {
  test.each(['1', '1.5', '1e5', '1.5E-10', '0x1F', '0b10', '0o17', '1_000', '1.'])(
    '%s is one token',
    (number) => {
      expect(tokens(`(${number})`)).toEqual(['(', number, ')']);
    },
  );

  test.each(['1into', '1_$$', '1$$', '0xinto', '1.5for', '0o19', '1é', '$1and'])(
    'whether %s is a number and a word is left open',
    (sql) => {
      expect(tokens(sql)).toContain(unclear);
    },
  );

  test('no text has the token that stands for an unclear number', () => {
    expect(tokens(unclear)).not.toEqual([unclear]);
  });
});

const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom("'", '"', '$', '\\', '/', '*', '-', ';', '(', ')', '_', '.', '&', '\n', '\r'),
    fc.constantFrom(
      'e',
      'E',
      'u',
      'U',
      'n',
      'b',
      'X',
      'a',
      '1',
      ' ',
      '\t',
      'é',
      '💡',
      '\0',
      '\u00a0',
    ),
    fc.constantFrom('commit', '$$', '--', '/*', '*/', "E'", "U&'", 'u&"', '$a$', "''"),
  ),
  maxLength: 80,
});

test('any text comes to an end, as tokens that stand in it', () => {
  fc.assert(
    fc.property(fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 200 })), (sql) => {
      const strangers = tokens(sql).filter(
        (token) =>
          token !== unclear && token !== 'u&"' && !sql.toLowerCase().includes(token.toLowerCase()),
      );
      expect(strangers).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

/** Pieces of SQL with the tokens that they are. */
const piece = fc.oneof(
  fc.constantFrom('select', 'commit', 'Größe', 'a$1').map((word) => [word, [word]] as const),
  fc.constantFrom(',', ';', '(', ')', '+').map((sign) => [sign, [sign]] as const),
  nasty.map((text) => [`'${text.replaceAll("'", "''")}'`, []] as const),
  nasty.map((text) => [`e'${text.replaceAll(/['\\]/g, '\\$&')}'`, []] as const),
  nasty.map((text) => [`E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`, []] as const),
  nasty.map((text) => [`$q$${text.replaceAll('$', '')}$q$`, []] as const),
  nasty.map((text) => [`/*${text.replaceAll(/[/*]/g, '')}/**/*/`, []] as const),
  nasty.map((text) => [`--${text.replaceAll(/[\n\r]/g, '')}\rx`, ['x']] as const),
  nasty.map((text) => [`"${text.replaceAll('"', '')}"`, [`"${text.replaceAll('"', '')}`]] as const),
);

test('whatever stands in literals, comments and quoted names changes nothing around them', () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.constantFrom(' ', '\t', '/**/'),
      (all, by) => {
        expect(tokens(all.map(([text]) => text).join(by))).toEqual(all.flatMap(([, of]) => of));
      },
    ),
    { numRuns: 1_000 },
  );
});

test('a long text of unclosed openings takes no longer than another', () => {
  for (const opening of ["'", '"', '$a$', '/*', "E'\\", '--\r', "E'a'\n-- ", '(', '$', '1a']) {
    // Were it quadratic, this would not end within the test's time.
    expect(tokens(opening.repeat(200_000)).length).toBeLessThanOrEqual(600_000);
  }
});
