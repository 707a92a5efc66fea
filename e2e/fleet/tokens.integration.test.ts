import { generateKeyPairSync } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../scripts/servers/temporary-folder.ts';
import {
  aPolicy,
  ClusterBed,
  eventually,
  noBedReason,
  type Replica,
} from './cluster-bed.test-kit.ts';
import { podsPath, resigned, TestPod } from './pod.test-kit.ts';

/** Who gets which policies: by the token and the watch alone. */

const skipped = noBedReason();

describe.skipIf(skipped !== undefined)(`a fleet${skipped ?? ''}`, () => {
  const folder = temporaryFolder('keys');
  let bed: ClusterBed;
  let replica: Replica;
  const pods: TestPod[] = [];
  beforeAll(async () => {
    bed = await ClusterBed.open();
    replica = await bed.startReplica('a');
    for (const [name, labels] of [
      ['shop', { app: 'shop' }],
      ['bank', { app: 'bank' }],
      ['all', {}],
    ] as const) {
      await bed.apply(
        aPolicy(name, {
          selector: { matchLabels: labels },
          targets: [{ kind: 'Guard', name, concurrency: { max: 5 } }],
        }),
      );
    }
  });
  afterAll(async () => {
    await Promise.all(pods.map((pod) => pod.close()));
    await bed?.close();
    rmSync(folder, { recursive: true });
  });

  const created = async (...args: Parameters<typeof TestPod.create>): Promise<TestPod> => {
    const pod = await TestPod.create(...args);
    pods.push(pod);
    return pod;
  };
  const targetsOf = async (pod: TestPod): Promise<readonly string[]> =>
    (await pod.inspect()).targets.filter(({ limit }) => limit > 0).map(({ name }) => name);
  const refusals = async (): Promise<Readonly<Record<string, number>>> => {
    const lines = (await replica.metrics()).matchAll(
      /^holdfast_controller_token_refusals_total\{reason="([\w-]+)"\} (\d+)$/gm,
    );
    return Object.fromEntries(
      Array.from(lines, ([, reason, count]): [string, number] => [reason ?? '', Number(count)]),
    );
  };

  test('a pod gets the policies that select its labels as the API server has them, whatever it says', async () => {
    const pod = await created(bed, 'shop-1', { labels: { app: 'shop' } });
    await pod.start();
    await eventually('it has its policies', async () => (await targetsOf(pod)).length === 2);
    expect(await targetsOf(pod)).toEqual(['all', 'shop']);
    const path = `${podsPath}/shop-1`;
    await bed.must('PATCH', path, { metadata: { labels: { app: 'bank' } } }, mergePatch);
    await eventually('it has the policies of its new labels', async () =>
      (await targetsOf(pod)).includes('bank'),
    );
    expect(await targetsOf(pod)).toEqual(['all', 'bank']);
  });

  test('tokens that prove nothing get no policy, are counted by reason, and a good one mends it', async () => {
    const pod = await created(bed, 'shop-2');
    const gone = await created(bed, 'shop-3');
    const deleted = await gone.token();
    await gone.remove();
    const good = await pod.token();
    const own = join(bed.plane.pki, 'sa.key');
    const foreign = join(folder, 'foreign.key');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(foreign, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const now = Math.floor(Date.now() / 1_000);
    const tokens: readonly (readonly [what: string, reason: string, token: string])[] = [
      ['text', 'invalid', 'none'],
      ['of another key', 'invalid', resigned(good, {}, foreign)],
      [
        'expired',
        'invalid',
        resigned(good, { iat: now - 7_200, nbf: now - 7_200, exp: now - 3_600 }, own),
      ],
      ['of a deleted pod', 'invalid', deleted],
      ['for another audience', 'audience', await pod.token('somebody-else')],
      ['of no pod', 'not-a-pod', await accountToken(bed)],
    ];
    pod.setToken(tokens[0]?.[2] ?? '');
    await pod.start();
    for (const [what, reason, token] of tokens) {
      const before = (await refusals())[reason] ?? 0;
      pod.setToken(token);
      await eventually(`a token ${what} is refused`, async () => {
        return ((await refusals())[reason] ?? 0) > before && (await pod.inspect()).controller;
      });
      const { digest, controller } = await pod.inspect();
      expect([what, digest, controller?.connectedTo]).toEqual([what, '', '']);
    }
    // It was not for how they are signed here.
    pod.setToken(resigned(good, {}, own));
    await eventually('it has its policies', async () => (await targetsOf(pod)).length === 2);
  }, 120_000);

  test('a stream ends with its token, and the token that came meanwhile begins the next one', async () => {
    const pod = await created(bed, 'shop-4');
    const token = await pod.token();
    pod.setToken('none');
    await pod.start();
    // From here on: a start takes long on a busy machine.
    const exp = Math.floor(Date.now() / 1_000) + 8;
    pod.setToken(resigned(token, { exp }, join(bed.plane.pki, 'sa.key')));
    await eventually('it has its policies', async () => (await targetsOf(pod)).length === 2);
    await eventually('its stream is ended', async () => {
      return (await pod.inspect()).controller?.connectedTo === '';
    });
    // What it was told stays in force.
    expect(await targetsOf(pod)).toHaveLength(2);
    await sleep(500);
    expect((await pod.inspect()).controller?.connectedTo).toBe('');
    pod.setToken(await pod.token());
    await eventually('it is connected again', async () => {
      return (await pod.inspect()).controller?.connectedTo !== '';
    });
  });
});

const mergePatch = 'application/merge-patch+json';

/** A token of the service account itself. */
async function accountToken(bed: ClusterBed): Promise<string> {
  const path = '/api/v1/namespaces/shop/serviceaccounts/shop/token';
  const { status } = await bed.must<{ status: { token: string } }>('POST', path, {
    spec: { audiences: ['holdfast-controller'] },
  });
  return status.token;
}
