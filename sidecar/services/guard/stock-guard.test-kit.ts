import { type Client, credentials, makeClientConstructor, type StatusObject } from '@grpc/grpc-js';
import { failureOfCall } from '../../grpc/failure.test-kit.ts';
import { loadContract, serviceOf } from '../../../platform/grpc/contract.ts';

/** Unary calls of Guard and Budgets by stock stubs, over a connection of their own. */
export class StockGuard {
  readonly #clients: Readonly<Record<'Guard' | 'Budgets', Client>>;

  constructor(address: string) {
    const stub = (name: 'Guard' | 'Budgets'): Client => {
      const Stub = makeClientConstructor(serviceOf(loadContract(), name), name);
      return new Stub(address, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
      });
    };
    this.#clients = { Guard: stub('Guard'), Budgets: stub('Budgets') };
  }

  /** Rejects with a Failure. */
  call<Answer>(
    service: 'Guard' | 'Budgets',
    method: string,
    request: object,
    deadlineMs = 10_000,
  ): Promise<Answer> {
    type Method = (
      request: object,
      options: object,
      done: (error: StatusObject | null, answer: Answer) => void,
    ) => void;
    const client = this.#clients[service];
    const run = (client as unknown as Record<string, Method>)[method] as Method;
    return new Promise((resolve, reject) => {
      run.call(client, request, { deadline: Date.now() + deadlineMs }, (error, answer) => {
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors
        if (error !== null) reject(failureOfCall(error));
        else resolve(answer);
      });
    });
  }

  [Symbol.dispose](): void {
    for (const client of Object.values(this.#clients)) client.close();
  }
}
