/** How long a step may be silent before it says that it still runs. */
const heartbeatMs = 15_000;

/** Says what is going on: one line when the step starts, one when it ends, and a sign of life in between. */
export async function step<Result>(
  title: string,
  work: () => Promise<Result>,
  outcome: (result: Result) => string = () => 'done',
): Promise<Result> {
  const startedAt = performance.now();
  const elapsed = (): string => `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
  console.log(`${title} …`);
  const heartbeat = setInterval(() => console.log(`${title} … ${elapsed()}`), heartbeatMs);
  try {
    const result = await work();
    console.log(`${title}: ${outcome(result)} (${elapsed()})`);
    return result;
  } finally {
    clearInterval(heartbeat);
  }
}
