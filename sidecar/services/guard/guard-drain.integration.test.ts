import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connect } from '../../../clients/typescript/index.ts';
import { testDatabase } from '../../../scripts/servers/test-database.ts';
import { startSidecar } from '../../sidecar.test-kit.ts';
import { beside } from '../../postgres/database.test-kit.ts';

const cost = { limit: 1, windowMs: 86_400_000, estimate: 0.3, scope: 'Fleet' };

test.each(['session', 'unary'] as const)(
  'a sidecar that stops waits for the Exits of calls under way (%s), and charges what they did cost',
  async (transport) => {
    const database = await testDatabase();
    const targets = [{ kind: 'Guard', name: 'llm', cost }];
    const sidecar = await startSidecar({ databaseUrl: database.url, targets });
    const holdfast = connect({ address: sidecar.address, transport });
    const guard = holdfast.guard('llm');
    const permit = await guard.enter({ leaseMs: 30_000 });
    const stopping = sidecar.stop(10_000);
    await sleep(200);
    const startedAtMs = performance.now();
    expect(await permit.exit('success', { cost: 0.1 })).toBe(0);
    await stopping;
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    await holdfast.close({ graceMs: 0 });
    const { rows } = await beside(database.url, (client) =>
      client.query('select settled, reserved from holdfast.cost_windows'),
    );
    expect(rows).toEqual([{ settled: '100000', reserved: '0' }]);
    await database.drop();
  },
);
