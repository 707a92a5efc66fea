/** Shorter than in a cluster, in the same proportions. */
export const times = {
  leaseMs: 4_000,
  heartbeatMs: 500,
  stepMs: 250,
  tickMs: 250,
  lateConnectMs: 3_000,
  listEveryMs: 2_000,
  listAgainMs: 500,
  forgetAfterMs: 30_000,
  /** A leader's, on its own clock. */
  leaderLeaseMs: 1_500,
  share: { driftRatio: 0.05, drainMs: 1_000, lateConnectMs: 3_000, refusalMs: 500 },
} as const;
