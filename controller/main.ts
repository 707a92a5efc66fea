import { totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../platform/clock.ts';
import { controllerHeap, heapFlags, memoryLimit } from '../platform/heap-flags.ts';

const { argv, env, execArgv, execPath } = process;
const memoryBytes = memoryLimit(
  env['HOLDFAST_CONTROLLER_MEMORY_BYTES'],
  process.constrainedMemory(),
  totalmem(),
);

const flags = heapFlags(
  { memoryBytes, execArgv, nodeOptions: env['NODE_OPTIONS'] ?? '' },
  controllerHeap,
);
if (flags.length > 0 && argv.length === 2 && process.execve !== undefined) {
  // The heap's size cannot be changed any more: the same process begins again, before anything large is loaded.
  process.execve(execPath, [execPath, ...execArgv, ...flags, fileURLToPath(import.meta.url)], env);
}

const { run } = await import('./program.ts');
await run(argv.slice(2), { env, memoryBytes, clock: systemClock, random: Math.random });
