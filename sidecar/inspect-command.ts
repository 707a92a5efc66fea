import { parseArgs } from 'node:util';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { systemClock } from '../platform/clock.ts';
import { loadContract, serviceOf } from '../platform/grpc/contract.ts';
import { variablesSchema } from './settings/variables.ts';

const help = `usage: holdfast inspect [--socket PATH]

Says as JSON what a sidecar goes by: its policy, what is wrong with a newer one, its controller, its targets (Policies.Inspect). In a pod:
kubectl exec POD -c holdfast -- /usr/bin/node sidecar/holdfast.js inspect

  --socket PATH   socket of the sidecar, else that of HOLDFAST_SOCKET
  --help
`;

const answerMs = 5_000;

/** `holdfast inspect`: resolves with the exit code: 0, 64 for unknown arguments, 1 when the sidecar does not answer. */
export async function inspectCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const options = readArguments(args);
  if (options === undefined) {
    process.stderr.write(`unknown arguments: ${args.join(' ')}\n\n${help}`);
    return 64;
  }
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  const path =
    options.socket ?? variablesSchema.shape.HOLDFAST_SOCKET.parse(env['HOLDFAST_SOCKET']);
  try {
    process.stdout.write(`${JSON.stringify(await inspect(path), null, 2)}\n`);
    return 0;
  } catch (thrown) {
    process.stderr.write(`the sidecar at ${path} does not answer: ${(thrown as Error).message}\n`);
    return 1;
  }
}

function inspect(path: string): Promise<object> {
  const method = serviceOf(loadContract(), 'Policies')['Inspect'];
  if (method === undefined) throw new Error('proto has no Policies.Inspect');
  const client = new Client(`unix:${path}`, credentials.createInsecure());
  return new Promise<object>((resolve, reject) => {
    client.makeUnaryRequest<object, object>(
      method.path,
      method.requestSerialize,
      (bytes) => method.responseDeserialize(bytes) as object,
      {},
      { deadline: new Date(systemClock.wallNow() + answerMs) },
      (error: ServiceError | null, said) => {
        if (said === undefined) reject(error ?? new Error('nothing was said'));
        else resolve(said);
      },
    );
  }).finally(() => client.close());
}

function readArguments(
  args: readonly string[],
): { readonly socket?: string; readonly help: boolean } | undefined {
  try {
    return parseArgs({
      args: [...args],
      options: { socket: { type: 'string' }, help: { type: 'boolean', default: false } },
    }).values;
  } catch {
    return undefined;
  }
}
