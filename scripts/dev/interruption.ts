/** Signals closer together are one: shells, `timeout` and npm pass on what the terminal has sent already. */
const sameSignalMs = 1_000;

/** Aborts when somebody wants this process to end: Ctrl-C, SIGTERM, a closed terminal. Asked again later, it ends at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  let firstAtMs = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) {
        firstAtMs = performance.now();
        console.log('stopping …');
        controller.abort();
      } else if (performance.now() - firstAtMs > sameSignalMs) {
        // What is still there is tethered to this process.
        process.exit(130);
      }
    });
  }
  return controller.signal;
}
