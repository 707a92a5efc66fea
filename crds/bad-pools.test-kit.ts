import { bad, pool, redis, secondItem, secretRef } from './bad-policy.test-kit.ts';

const inPool = 'spec.postgres[0].pool';
const many = <Item>(count: number, item: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => item(index));

/** Bad PostgreSQL pools and Redis servers. */
export const badPools = [
  bad('more connections kept than allowed', `${inPool}.min`, pool({ pool: { min: 11, max: 10 } })),
  bad('more kept than the default allows', `${inPool}.min`, pool({ pool: { min: 11 } })),
  bad('fewer than the default keeps', `${inPool}.min`, pool({ pool: { max: 1 } })),
  bad('a pool of nobody', `${inPool}.max`, pool({ pool: { min: 0, max: 0 } })),
  bad('too large a pool', `${inPool}.max`, pool({ pool: { max: 1_001 } })),
  bad('half a connection', `${inPool}.max`, pool({ pool: { max: 2.5 } })),
  bad('text for a number', `${inPool}.max`, pool({ pool: { max: '10' } })),
  bad('yes for a number', `${inPool}.max`, pool({ pool: { max: true } })),
  bad('a negative overflow', `${inPool}.overflow`, pool({ pool: { overflow: -1 } })),
  bad('no time to wait', `${inPool}.acquireTimeoutMs`, pool({ pool: { acquireTimeoutMs: 0 } })),
  bad('more than a day', `${inPool}.idleTimeoutMs`, pool({ pool: { idleTimeoutMs: 86_400_001 } })),
  bad('too short a life', `${inPool}.maxLifetimeMs`, pool({ pool: { maxLifetimeMs: 999 } })),
  bad('jitter beyond a half', `${inPool}.lifetimeJitter`, pool({ pool: { lifetimeJitter: 0.51 } })),
  bad(
    'seconds for milliseconds',
    `${inPool}.acquireTimeoutMs`,
    pool({ pool: { acquireTimeoutMs: '5s' } }),
  ),
  bad('a misspelt field', `${inPool}.maximum`, pool({ pool: { maximum: 10 } })),
  bad('a field in the wrong place', 'spec.postgres[0].max', pool({ max: 10 })),
  bad('a list for a block', inPool, pool({ pool: [] })),
  bad('a number for a block', inPool, pool({ pool: 10 })),
  bad('a pool without a secret', 'spec.postgres[0].secretRef', { postgres: [{ name: 'a' }] }),
  bad('a pool without a name', 'spec.postgres[0].name', { postgres: [{ secretRef }] }),
  bad('a block for a list', 'spec.postgres', { postgres: {} }),
  bad('a name in capitals', 'spec.postgres[0].name', pool({ name: 'Orders' })),
  bad('a name with a low line', 'spec.postgres[0].name', pool({ name: 'my_pool' })),
  bad('an empty name', 'spec.postgres[0].name', pool({ name: '' })),
  bad('a name of 64 characters', 'spec.postgres[0].name', pool({ name: 'a'.repeat(64) })),
  bad('a name with a line end', 'spec.postgres[0].name', pool({ name: 'a\n' })),
  bad('a number for a name', 'spec.postgres[0].name', pool({ name: 7 })),
  bad(
    'two pools of one name',
    'spec.postgres',
    { postgres: [pool(), pool()].flatMap(({ postgres }) => postgres) },
    secondItem('spec.postgres[1]'),
  ),
  bad('too many pools', 'spec.postgres', {
    postgres: many(17, (index) => ({ name: `p${index}`, secretRef })),
  }),
  bad(
    'a key that climbs',
    'spec.postgres[0].secretRef.key',
    pool({ secretRef: { name: 'a', key: '../../etc/passwd' } }),
  ),
  bad(
    'a secret that climbs',
    'spec.postgres[0].secretRef.name',
    pool({ secretRef: { name: '../a' } }),
  ),
  bad(
    'a secret of another namespace',
    'spec.postgres[0].secretRef.namespace',
    pool({ secretRef: { name: 'a', namespace: 'b' } }),
  ),
  bad('a URL for a secret', 'spec.postgres[0].url', pool({ url: 'postgresql://u:p@h/d' })),
  bad(
    'a TLS mode that there is not',
    'spec.postgres[0].tls.mode',
    pool({ tls: { mode: 'Prefer' } }),
  ),
  bad(
    'authorities that nobody would look at',
    'spec.postgres[0].tls.caSecretRef',
    pool({ tls: { mode: 'Require', caSecretRef: { name: 'ca' } } }),
  ),
  bad(
    'a result without end',
    'spec.postgres[0].maxResultBytes',
    pool({ maxResultBytes: 1024 ** 3 }),
  ),
  bad(
    'a word for true',
    'spec.postgres[0].preparedStatements',
    pool({ preparedStatements: 'true' }),
  ),
  bad(
    'no name of a budget of connections',
    'spec.postgres[0].budgetRef.name',
    pool({ budgetRef: {} }),
  ),
  bad('no Redis connection', 'spec.redis[0].connections', redis({ connections: 0 })),
  bad(
    'a Redis command that takes an hour',
    'spec.redis[0].commandTimeoutMs',
    redis({ commandTimeoutMs: 3_600_000 }),
  ),
  bad('a pool block for a Redis', 'spec.redis[0].pool', redis({ pool: { max: 10 } })),
  bad(
    'two Redis of one name',
    'spec.redis',
    { redis: [redis(), redis()].flatMap((each) => each.redis) },
    secondItem('spec.redis[1]'),
  ),
];
