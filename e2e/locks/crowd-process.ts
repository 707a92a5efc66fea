/** Clients of one sidecar in a process of their own: `node crowd-process.ts PARTS`, JSON. Writes what it sees to two files until SIGTERM, or until it is killed. */
import { appendFileSync } from 'node:fs';
import { randomFrom } from '../soak/random.ts';
import { crowd } from './crowd.ts';
import { eventLine, type LockEvent, watchPauses } from './history.ts';

interface Parts {
  readonly client: string;
  readonly sidecar: string;
  readonly address: string;
  readonly clients: number;
  readonly locks: number;
  readonly ttlMs: number;
  readonly seed: number;
  readonly eventsFile: string;
  readonly incrementsFile: string;
}

const { seed, eventsFile, incrementsFile, ...parts } = JSON.parse(process.argv[2] ?? '') as Parts;
// At once: whoever is killed has written down what it was told.
const record = (event: LockEvent): void => appendFileSync(eventsFile, eventLine(event));
let goesOn = true;
process.on('SIGTERM', () => (goesOn = false));
watchPauses(parts.client, record);
await crowd(
  {
    ...parts,
    random: randomFrom(seed),
    record,
    tell: (increment) => appendFileSync(incrementsFile, `${JSON.stringify(increment)}\n`),
  },
  () => goesOn,
);
process.exit(0);
