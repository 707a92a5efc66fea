import { writeSync } from 'node:fs';
import { pino, stdTimeFunctions, type Logger } from 'pino';

export type { Logger } from 'pino';

const stdout = 1;

/** JSON lines on stdout; one that cannot be written is lost. Whoever logs takes care that no secret, parameter or key is in what is logged. */
export function makeLogger(level: string, name: string): Logger {
  return pino(
    {
      level,
      name,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: writeLine },
  );
}

/** pino's own destination throws when the disk is full, and keeps what it could not write. */
function writeLine(line: string): void {
  try {
    const bytes = Buffer.from(line);
    for (let at = 0; at < bytes.length;) at += writeSync(stdout, bytes, at);
  } catch {
    // The program goes on without its log.
  }
}
