import { type Client, credentials, makeClientConstructor } from '@grpc/grpc-js';
import type { PoliciesClient } from '../platform/gen/holdfast/v1/Policies.ts';
import type { PolicyState__Output } from '../platform/gen/holdfast/v1/PolicyState.ts';
import { loadContract, serviceOf } from '../platform/grpc/contract.ts';

const PoliciesConstructor = makeClientConstructor(
  serviceOf(loadContract(), 'Policies'),
  'Policies',
) as unknown as new (...args: ConstructorParameters<typeof Client>) => PoliciesClient;

/** Policies.Inspect by a stock stub. */
export async function inspectPolicies(address: string): Promise<PolicyState__Output> {
  const client = new PoliciesConstructor(address, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      client.inspect({}, (error, state) =>
        state === undefined ? reject(error ?? new Error('no state')) : resolve(state),
      );
    });
  } finally {
    client.close();
  }
}
