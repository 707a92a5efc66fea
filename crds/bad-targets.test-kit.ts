import { bad, secondItem, target, upstream, upstreamTarget } from './bad-policy.test-kit.ts';

const first = 'spec.targets[0]';
const inUpstream = `${first}.upstream`;
const header = (fields: object) => upstream({ headers: [fields] });
const fallback = (fields: object) => upstream({}, { fallback: fields });
const cost = (fields: object) => target({ cost: { limit: 10, ...fields } });

/** Bad targets. */
export const badTargets = [
  bad('a target without kind', `${first}.kind`, { targets: [{ name: 'a' }] }),
  bad('a target without name', `${first}.name`, { targets: [{ kind: 'Guard' }] }),
  bad('a kind that there is not', `${first}.kind`, target({ kind: 'Kafka' })),
  bad('a kind in small letters', `${first}.kind`, target({ kind: 'guard' })),
  bad(
    'two targets of one kind and name',
    'spec.targets',
    { targets: [target({}), target({})].flatMap(({ targets }) => targets) },
    secondItem('spec.targets[1]'),
  ),
  bad('too many targets', 'spec.targets', {
    targets: Array.from({ length: 65 }, (_, index) => ({ kind: 'Guard', name: `g${index}` })),
  }),

  bad('an upstream without its address', inUpstream, target({ kind: 'Upstream' })),
  bad('an address for a guard', inUpstream, target({ upstream: { baseUrl: 'http://a' } })),
  bad(
    'an upstream without URL',
    `${inUpstream}.baseUrl`,
    target({ kind: 'Upstream', upstream: {} }),
  ),
  bad('a URL without scheme', `${inUpstream}.baseUrl`, upstream({ baseUrl: 'api.example.com' })),
  bad('a URL of a file', `${inUpstream}.baseUrl`, upstream({ baseUrl: 'file:///etc/passwd' })),
  bad('a URL with a password', `${inUpstream}.baseUrl`, upstream({ baseUrl: 'https://u:p@host' })),
  bad('a URL with a query', `${inUpstream}.baseUrl`, upstream({ baseUrl: 'https://host/?a=b' })),
  bad('a URL with a blank', `${inUpstream}.baseUrl`, upstream({ baseUrl: 'https://host /' })),
  bad('no connection', `${inUpstream}.maxConnections`, upstream({ maxConnections: 0 })),
  bad('plain text to https', `${inUpstream}.tls`, upstream({ tls: { mode: 'Disable' } })),
  bad('TLS to http', `${inUpstream}.tls`, upstream({ baseUrl: 'http://host', tls: {} })),
  bad(
    'authorities that nobody would look at',
    `${inUpstream}.tls.caSecretRef`,
    upstream({ tls: { mode: 'Require', caSecretRef: { name: 'ca' } } }),
  ),

  bad('a header without name', `${inUpstream}.headers[0].name`, header({ value: 'a' })),
  bad('a header in capitals', `${inUpstream}.headers[0].name`, header({ name: 'X-A', value: 'a' })),
  bad(
    "the connection's header",
    `${inUpstream}.headers[0].name`,
    header({ name: 'host', value: 'a' }),
  ),
  bad('a header that says nothing', `${inUpstream}.headers[0].value`, header({ name: 'x-a' })),
  bad(
    'a header that ends the line',
    `${inUpstream}.headers[0].value`,
    header({ name: 'x-a', value: 'a\r\nx-b: c' }),
  ),
  bad(
    'one header twice',
    `${inUpstream}.headers`,
    upstream({ headers: ['a', 'b'].map((value) => ({ name: 'x-a', value })) }),
    secondItem(`${inUpstream}.headers[1]`),
  ),

  bad(
    'a try longer than all of them',
    `${first}.timeout.perTryMs`,
    target({ timeout: { totalMs: 1_000, perTryMs: 2_000 } }),
  ),
  bad(
    'a try longer than the default',
    `${first}.timeout.perTryMs`,
    target({ timeout: { perTryMs: 30_001 } }),
  ),
  bad('no time at all', `${first}.timeout.totalMs`, target({ timeout: { totalMs: 0 } })),

  bad('retries of what only the application can repeat', `${first}.retry`, target({ retry: {} })),
  bad('no try', `${first}.retry.maxAttempts`, upstream({}, { retry: { maxAttempts: 0 } })),
  bad('too many tries', `${first}.retry.maxAttempts`, upstream({}, { retry: { maxAttempts: 11 } })),
  bad(
    'a first pause above the longest',
    `${first}.retry.backoff.baseMs`,
    upstream({}, { retry: { backoff: { baseMs: 200, maxMs: 100 } } }),
  ),
  bad('retries of nothing', `${first}.retry.causes`, upstream({}, { retry: { causes: [] } })),
  bad(
    'retries of a cause that there is not',
    `${first}.retry.causes[0]`,
    upstream({}, { retry: { causes: ['Always'] } }),
  ),
  bad(
    'more retries than calls',
    `${first}.retry.budget.ratio`,
    upstream({}, { retry: { budget: { ratio: 1.5 } } }),
  ),

  bad(
    'a rate in percent',
    `${first}.breaker.failureRate`,
    target({ breaker: { failureRate: 50 } }),
  ),
  bad(
    'a breaker that is always open',
    `${first}.breaker.failureRate`,
    target({ breaker: { failureRate: 0 } }),
  ),
  bad('too short a window', `${first}.breaker.windowMs`, target({ breaker: { windowMs: 99 } })),
  bad('no probe', `${first}.breaker.halfOpenCalls`, target({ breaker: { halfOpenCalls: 0 } })),

  bad('no call at once', `${first}.concurrency.max`, target({ concurrency: { max: 0 } })),
  bad(
    'an order that there is not',
    `${first}.concurrency.order`,
    target({ concurrency: { order: 'Lifo' } }),
  ),
  bad(
    'an adaptive floor above its ceiling',
    `${first}.concurrency.adaptive.min`,
    target({ concurrency: { max: 10, adaptive: { min: 11 } } }),
  ),
  bad('a rate of nothing', `${first}.rate.perSecond`, target({ rate: { perSecond: 0 } })),
  bad('a rate without a number', `${first}.rate.perSecond`, target({ rate: {} })),

  bad('a budget without limit', `${first}.cost.limit`, target({ cost: {} })),
  bad('a budget of nothing', `${first}.cost.limit`, cost({ limit: 0 })),
  bad('a window of half a second', `${first}.cost.windowMs`, cost({ windowMs: 500 })),
  bad('a scope that there is not', `${first}.cost.scope`, cost({ scope: 'Cluster' })),
  bad('a warning beyond the limit', `${first}.cost.warnAt`, cost({ warnAt: 1.2 })),
  bad('a budget for a database', `${first}.cost`, target({ kind: 'Postgres', cost: { limit: 1 } })),

  bad('shares of no limit', `${first}.priorities`, target({ priorities: [{ priority: 'Low' }] })),
  bad(
    'a share for the most urgent',
    `${first}.priorities[0].priority`,
    target({ concurrency: {}, priorities: [{ priority: 'High' }] }),
  ),
  bad(
    'two shares of one priority',
    `${first}.priorities`,
    target({ concurrency: {}, priorities: [{ priority: 'Low' }, { priority: 'Low' }] }),
    secondItem(`${first}.priorities[1]`),
  ),

  bad('an HTTP answer for a guard', `${first}.fallback`, target({ fallback: { static: {} } })),
  bad('a fallback to nothing', `${first}.fallback.static`, fallback({})),
  bad('two fallbacks', `${first}.fallback.static`, fallback({ static: {}, stale: {} })),
  bad(
    'a status that is none',
    `${first}.fallback.static.status`,
    fallback({ static: { status: 42 } }),
  ),
  bad('a fallback to itself', 'spec.targets', fallback({ upstream: { name: 'api' } })),
  bad('a fallback to a stranger', 'spec.targets', fallback({ upstream: { name: 'other' } })),
  bad('a fallback to a guard', 'spec.targets', {
    targets: [
      upstreamTarget({}, { fallback: { upstream: { name: 'legacy' } } }),
      { kind: 'Guard', name: 'legacy' },
    ],
  }),
];
