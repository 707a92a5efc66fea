/** `./dev test`: everything that has to hold, in one go, ending in one line of counts. */
import { interruption } from './dev/interruption.ts';
import { runSteps } from './dev/test-steps.ts';

const usage = 'usage: ./dev test [unit | --full]';
const [which = 'all', ...rest] = process.argv.slice(2);
if (rest.length > 0 || !['all', 'unit', '--full'].includes(which)) {
  console.error(usage);
  process.exit(2);
}

const interrupted = interruption();
const { passed, failed, failures } = await runSteps(
  which === 'unit' ? 'unit' : which === '--full' ? 'full' : 'all',
  interrupted,
);
for (const failure of failures) console.log(`FAILED ${failure}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 && !interrupted.aborted ? 0 : 1);
