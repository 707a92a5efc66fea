import { expect, test } from 'vitest';
import { hardLimit } from './hard-limit.ts';

const terms = { total: 50, reserve: 10 };
const server = 97;

test.each([
  ['nothing was listed', undefined, 'Unknown', 'NotListed', /listed/],
  ['the role has it', { role: 40, database: -1, server }, 'True', 'Enforced', /40.*role/],
  ['the database has it', { role: -1, database: 40, server }, 'True', 'Enforced', /database/],
  ['the lower one has it', { role: 60, database: 40, server }, 'True', 'Enforced', /database/],
  ['there is none', { role: -1, database: -1, server }, 'False', 'NoLimit', /ALTER ROLE .* 40;/],
  ['it is too high', { role: 41, database: -1, server }, 'False', 'LimitTooHigh', /ROLE .* 40;/],
  ['it is too low', { role: -1, database: 39, server }, 'False', 'LimitTooLow', /DATABASE .* 40;/],
  ['it is none at all', { role: 0, database: -1, server }, 'False', 'LimitTooLow', /ROLE .* 40;/],
  [
    'the server is too small',
    { role: 40, database: -1, server: 49 },
    'False',
    'ServerTooSmall',
    /49/,
  ],
  ['the server does not tell', { role: 40, database: -1, server: 0 }, 'True', 'Enforced', /40/],
] as const)('when %s', (_title, limits, status, reason, message) => {
  const condition = hardLimit(terms, limits);
  expect(condition).toMatchObject({ type: 'HardLimit', status, reason });
  expect(condition.message).toMatch(message);
});
