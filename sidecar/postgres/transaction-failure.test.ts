import { expect, test } from 'vitest';
import { TransactionFailure } from './transaction-failure.ts';

const after = (...events: readonly (string | undefined)[]): boolean => {
  const failure = new TransactionFailure();
  for (const event of events) {
    if (event === undefined) failure.happened();
    else failure.worked(event);
  }
  return failure.stands;
};
const failed = undefined;

test('without a failure nothing stands in the way of a commit', () => {
  expect(after()).toBe(false);
  expect(after('SAVEPOINT "s"', 'ROLLBACK TO SAVEPOINT "s"')).toBe(false);
});

test('a failure stands, whatever else works', () => {
  expect(after(failed)).toBe(true);
  expect(after(failed, 'FETCH FORWARD 10 FROM "c"', 'RELEASE SAVEPOINT "s"')).toBe(true);
  expect(after('SAVEPOINT "s"', failed)).toBe(true);
});

test('going back to a savepoint from before it undoes it, to a later one does not', () => {
  expect(after('SAVEPOINT "s"', failed, 'ROLLBACK TO SAVEPOINT "s"')).toBe(false);
  expect(after(failed, 'SAVEPOINT "s"', 'ROLLBACK TO SAVEPOINT "s"')).toBe(true);
  expect(after('SAVEPOINT "s"', failed, 'SAVEPOINT "t"', 'ROLLBACK TO SAVEPOINT "s"')).toBe(false);
  expect(after('SAVEPOINT "s"', failed, 'SAVEPOINT "s"', 'ROLLBACK TO SAVEPOINT "s"')).toBe(true);
});

test('what fails after that stands again', () => {
  expect(after('SAVEPOINT "a\nb"', failed, 'ROLLBACK TO SAVEPOINT "a\nb"', failed)).toBe(true);
});
