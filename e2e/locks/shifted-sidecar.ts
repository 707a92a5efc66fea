/**
 * A sidecar whose clocks are shifted, and which writes down when it did not run: `node shifted-sidecar.ts NAME SHIFT_MS FILE`.
 */
import { appendFileSync } from 'node:fs';
import { systemClock } from '../../platform/clock.ts';
import { run } from '../../sidecar/program.ts';
import { eventLine, watchPauses } from './history.ts';

const [name = '', shiftMs = '0', file = ''] = process.argv.slice(2);
const shift = Number(shiftMs);
watchPauses(name, (event) => appendFileSync(file, eventLine(event)));
await run([], {
  env: process.env,
  memoryBytes: undefined,
  clock: {
    ...systemClock,
    now: () => systemClock.now() + Math.abs(shift),
    wallNow: () => systemClock.wallNow() + shift,
  },
  random: Math.random,
});
