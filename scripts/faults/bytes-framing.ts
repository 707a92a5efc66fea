import type { Framing } from './framer.ts';

/** Every chunk is a message, as it comes. */
export const bytesFraming = (): Framing => ({
  scan: (bytes) => bytes.length,
  seen: () => {},
  describe: () => ({ type: 'bytes', text: '' }),
});
