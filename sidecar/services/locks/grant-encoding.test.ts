import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadMessages } from '../../../platform/grpc/contract.ts';
import { encodedGrant } from './grant-encoding.ts';
import { HeldGrant } from './held-grant.ts';

const grantType = loadMessages().lookupType('holdfast.v1.Grant');

const token = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
  fc.constantFrom(0n, 1n, 127n, 128n),
);
const lock = fc.record({
  name: fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }),
  token,
  fence: fc.option(token, { nil: undefined }),
});

test('a grant reads as a stock library reads it', () => {
  fc.assert(
    fc.property(
      fc.array(lock, { minLength: 1, maxLength: 16 }),
      fc.integer({ min: 1, max: 0xffff_ffff }),
      fc.integer({ min: 1, max: 3_600_000 }),
      (locks, maxHoldMs, ttlMs) => {
        const grant = new HeldGrant(
          '7e6a2f0e-9b1e-4c07-8a66-6a1f0f0c2c11',
          {
            names: locks.map(({ name }) => name),
            mode: 'exclusive',
            permits: 1,
            ttlMs,
            waitMs: undefined,
            owner: '',
            fence: undefined,
            maxHoldMs,
          },
          true,
        );
        for (const { name, token, fence } of locks) {
          grant.add(grant.claim(name), { token, sentAtMs: 100 }, 100).fence = fence;
        }
        const { parts } = encodedGrant(grant, 100);
        const read = grantType.toObject(grantType.decode(parts[0] as Uint8Array), {
          longs: String,
          defaults: true,
        });
        expect(read).toEqual({
          leaseId: grant.leaseId,
          locks: locks.map(({ name, token, fence }) => ({ name, token: String(fence ?? token) })),
          ttlMs,
          maxHoldMs,
        });
      },
    ),
    { numRuns: 300 },
  );
});
