import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type Holdfast } from '../clients/typescript/index.ts';
import { redisUrl, testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { processUsage } from '../scripts/servers/process-usage.ts';
import { startSidecarProcess } from '../scripts/servers/sidecar.ts';
import { startSidecar, type TestSidecar } from '../sidecar/sidecar.test-kit.ts';

let server: TestDatabase;
let sidecar: TestSidecar;
beforeAll(async () => {
  server = await testDatabase();
  sidecar = await startSidecar({
    databaseUrl: server.url,
    redisUrl: redisUrl(),
    postgres: { pool: { max: 20 } },
  });
});
afterAll(async () => {
  await sidecar.stop();
  await server.drop();
});

async function withClient<T>(
  transport: 'session' | 'unary',
  use: (client: Holdfast) => Promise<T>,
): Promise<T> {
  const client = connect({ address: sidecar.address, transport });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

describe.each(['session', 'unary'] as const)('1,000 requests at once, %s', (transport) => {
  test('queries all succeed, each with its own answer', async () => {
    const answers = await withClient(transport, (client) =>
      Promise.all(
        numbers(1_000).map((at) => client.database().query('select $1::int as at', [at])),
      ),
    );
    expect(answers.map(({ rows }) => rows[0]?.['at'])).toEqual(numbers(1_000));
  });

  test('Redis commands all succeed, each with its own answer', async () => {
    const answers = await withClient(transport, async (client) => {
      const redis = client.redis();
      return Promise.all(numbers(1_000).map((at) => redis.command('ECHO', `${at}`)));
    });
    expect(answers).toEqual(numbers(1_000).map(String));
  });

  test('writes all succeed, once each', async () => {
    await withClient(transport, async (client) => {
      const database = client.database();
      const table = `written_${transport}`;
      await database.query(`create table ${table} (id int primary key)`);
      await Promise.all(
        numbers(1_000).map((at) => database.query(`insert into ${table} values ($1)`, [at])),
      );
      const { rows } = await database.query(`select count(*)::int as count from ${table}`);
      expect(rows).toEqual([{ count: 1_000 }]);
    });
  });
});

test('10,000 queries at once on one session succeed, in bounded memory', async () => {
  const alone = await startSidecarProcess({ DATABASE_URL: server.url, REDIS_URL: 'off' });
  const client = connect({ address: alone.address });
  try {
    const database = client.database();
    const round = async (): Promise<void> => {
      const answers = await Promise.all(
        numbers(10_000).map((at) =>
          database.query(`select $1::int as at, repeat('x', 200) as filler`, [at]),
        ),
      );
      expect(answers.every(({ rows }, at) => rows[0]?.['at'] === at)).toBe(true);
    };
    const rssMb: number[] = [];
    for (let time = 0; time < 8; time += 1) {
      await round();
      rssMb.push(processUsage(alone.pid).rssMb);
    }
    expect(Math.max(...rssMb)).toBeLessThan(300);
    expect((rssMb.at(-1) as number) - (rssMb[2] as number)).toBeLessThan(40);
  } finally {
    await client.close();
    await alone.stop();
  }
});
