/** `./dev test`: everything that has to hold, in one go, ending in one line of counts. */
import { runSteps } from './dev/test-steps.ts';

const usage = 'usage: ./dev test [unit | --full]';
const [which = 'all', ...rest] = process.argv.slice(2);
if (rest.length > 0 || !['all', 'unit', '--full'].includes(which)) {
  console.error(usage);
  process.exit(2);
}

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort();
  });
}

const { passed, failed } = await runSteps(
  which === 'unit' ? 'unit' : which === '--full' ? 'full' : 'all',
  interrupted.signal,
);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 && !interrupted.signal.aborted ? 0 : 1);
