import { pino, stdTimeFunctions, type Logger } from 'pino';

export type { Logger } from 'pino';

/** JSON lines on stdout. Whoever logs takes care that no secret, parameter or key is in what is logged. */
export function makeLogger(level: string, name: string): Logger {
  return pino({
    level,
    name,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
