/**
 * Flags of Node for the sidecar's process. Its garbage is short-lived: a small young generation keeps the resident memory low at no cost that
 * shows, and a bounded old one makes V8 collect instead of growing.
 */
export const sidecarFlags: readonly string[] = [
  '--max-semi-space-size=4',
  '--max-old-space-size=160',
];
