import { manifest } from './bad-policy.test-kit.ts';

const tls = { mode: 'VerifyFull', caSecretRef: { name: 'ca', key: 'ca.crt' } };
const secretRef = { name: 'a-secret', key: 'url' };

const guards = {
  timeout: { totalMs: 10_000, perTryMs: 2_000 },
  retry: {
    maxAttempts: 3,
    backoff: { baseMs: 50, maxMs: 1_000 },
    causes: ['Unavailable', 'Throttled'],
    budget: { ratio: 0.1, minPerSecond: 5 },
  },
  breaker: {
    failureRate: 0.5,
    slowRate: 0.9,
    slowCallMs: 1_000,
    minCalls: 10,
    windowMs: 10_000,
    openMs: 5_000,
    halfOpenCalls: 2,
  },
  concurrency: {
    max: 50,
    queue: 10,
    queueTimeoutMs: 500,
    order: 'Fifo',
    adaptive: { min: 2 },
  },
  rate: { perSecond: 100, burst: 10 },
  priorities: [
    { priority: 'Normal', share: 0.8 },
    { priority: 'Low', share: 0.2 },
  ],
};

const upstreamTarget = {
  kind: 'Upstream',
  name: 'api',
  upstream: {
    baseUrl: 'https://api.example.com/v1',
    headers: [
      { name: 'authorization', value: 'Bearer ', secretRef: { name: 'api', key: 'token' } },
    ],
    http2: false,
    maxConnections: 8,
    connectTimeoutMs: 1_000,
    idleTimeoutMs: 30_000,
    maxResponseBytes: 1_048_576,
    tls,
  },
  ...guards,
  cost: {
    limit: 10.5,
    windowMs: 3_600_000,
    scope: 'Fleet',
    database: 'orders',
    estimate: 0.25,
    reservationMs: 30_000,
    warnAt: 0.9,
  },
  fallback: { static: { status: 503, contentType: 'text/plain', body: 'later' } },
};

/** A good policy that has every field there is. */
export const fullPolicy = manifest({
  selector: { matchLabels: { 'app.kubernetes.io/name': 'orders' } },
  mode: 'Enforce',
  postgres: [
    {
      name: 'orders',
      secretRef,
      budgetRef: { name: 'orders' },
      pool: {
        min: 1,
        max: 5,
        overflow: 1,
        acquireTimeoutMs: 1_000,
        queueLimit: 100,
        connectTimeoutMs: 2_000,
        idleTimeoutMs: 60_000,
        maxLifetimeMs: 600_000,
        lifetimeJitter: 0.2,
        probeAfterMs: 10_000,
      },
      preparedStatements: false,
      statementTimeoutMs: 5_000,
      idleInTransactionTimeoutMs: 5_000,
      transactionTimeoutMs: 20_000,
      slowStatementMs: 100,
      maxResultBytes: 1_048_576,
      tls,
    },
  ],
  redis: [
    {
      name: 'cache',
      secretRef,
      connections: 1,
      blockingConnections: 4,
      maxInFlight: 1_000,
      commandTimeoutMs: 500,
      connectTimeoutMs: 1_000,
      maxReplyBytes: 1_048_576,
      operationTtlMs: 60_000,
      subscriberBufferBytes: 1_048_576,
      tls,
    },
  ],
  targets: [
    upstreamTarget,
    { ...upstreamTarget, name: 'other', fallback: { upstream: { name: 'api' } } },
    {
      ...upstreamTarget,
      name: 'third',
      fallback: { stale: { maxAgeMs: 60_000, maxEntries: 100, maxBytes: 1_048_576 } },
    },
    { kind: 'Guard', name: 'api' },
  ],
  locks: {
    authority: 'Postgres',
    server: 'orders',
    ttlMs: 10_000,
    maxHoldMs: 60_000,
    fenceWaitMs: 1_000,
  },
  tracing: {
    sampleRatio: 0.5,
    slowSpanMs: 250,
    storeIn: { database: 'orders', retentionMs: 86_400_000 },
    sqlComments: true,
  },
  alerts: {
    enabled: true,
    forMs: 30_000,
    poolUse: 0.8,
    queueWaitMs: 500,
    successRate: 0.99,
    p99Ms: 1_000,
    throughput: { minPerSecond: 50, forMs: 60_000 },
    slowSpansPerMinute: 10,
    notProgrammedMs: 60_000,
    disconnectedMs: 60_000,
    eventLoopLagMs: 50,
    memoryUse: 0.8,
  },
});
