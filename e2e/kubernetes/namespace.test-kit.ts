import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { toolEnvironment } from '../cluster/tool.ts';
import { clientProgram, surroundings } from './surroundings.ts';

/** A namespace of a test's own in the cluster under test. */
export interface TestNamespace {
  readonly name: string;
  /** Runs kubectl in it; what it prints. Rejects with what it complained of. */
  kubectl(...args: string[]): Promise<string>;
  /** Applies manifests. */
  apply(manifests: string): Promise<void>;
  /** Waits until `attempt` gives something that is not false, and gives that; after `limitMs` it rejects with all that the cluster says of it. */
  eventually<Value>(
    what: string,
    attempt: () => Promise<Value | false>,
    limitMs?: number,
  ): Promise<Value>;
  remove(): Promise<void>;
}

/** Makes one, with a name of its own unless one is given. */
export async function testNamespace(
  name = `e2e-${randomBytes(4).toString('hex')}`,
): Promise<TestNamespace> {
  await applyManifests(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  return {
    name,
    kubectl: (...args) => kubectl(['--namespace', name, ...args]),
    apply: async (manifests) =>
      void (await kubectl(['--namespace', name, 'apply', '-f', '-'], manifests)),
    eventually: (what, attempt, limitMs) =>
      eventually(what, attempt, { limitMs, namespaces: [name] }),
    remove: async () => void (await kubectl(['delete', 'namespace', name, '--timeout=90s'])),
  };
}

const applyManifests = (manifests: string): Promise<string> =>
  kubectl(['apply', '-f', '-'], manifests);

/** Runs kubectl against the cluster under test. */
export const kubectl = (args: readonly string[], input = ''): Promise<string> =>
  client('kubectl', args, input);

/** Runs helm against the cluster under test. */
export const helm = (...args: string[]): Promise<string> => client('helm', args, '');

interface Patience {
  /** A minute unless it is given. */
  readonly limitMs?: number | undefined;
  /** Whose pods, events and logs are told when it took too long. */
  readonly namespaces: readonly string[];
}

/** Waits until `attempt` gives something that is not false. What it throws meanwhile is told when it took too long. */
export async function eventually<Value>(
  what: string,
  attempt: () => Promise<Value | false>,
  { limitMs = 60_000, namespaces }: Patience,
): Promise<Value> {
  const lateAt = performance.now() + limitMs;
  let last = 'not yet';
  while (performance.now() < lateAt) {
    try {
      const value = await attempt();
      if (value !== false) return value;
    } catch (error) {
      last = String(error);
    }
    await sleep(200);
  }
  const said = await Promise.all(namespaces.map(diagnosis));
  throw new Error(`waited ${limitMs / 1_000} s until ${what}: ${last}\n${said.join('\n')}`);
}

/** What somebody would look at first: pods, events, and the ends of the logs. */
export async function diagnosis(namespace: string): Promise<string> {
  const ask = (...args: string[]): Promise<string> =>
    kubectl(['--namespace', namespace, ...args]).catch(String);
  const [pods, events, names] = await Promise.all([
    ask('get', 'pods', '--output=wide'),
    ask('get', 'events', '--sort-by=.lastTimestamp'),
    ask('get', 'pods', '--output=name'),
  ]);
  const logs = await Promise.all(
    names
      .split('\n')
      .filter((name) => name.startsWith('pod/'))
      .slice(0, 6)
      .map((pod) =>
        ask('logs', pod, '--all-containers', '--prefix', '--tail=15', '--ignore-errors'),
      ),
  );
  const lastEvents = events.split('\n').slice(-30).join('\n');
  return [`== pods of ${namespace}`, pods, '== events', lastEvents, '== logs', ...logs].join('\n');
}

async function client(
  name: 'kubectl' | 'helm',
  args: readonly string[],
  input: string,
): Promise<string> {
  const env = { ...toolEnvironment(), KUBECONFIG: surroundings().kubeconfig };
  const child = spawn(clientProgram(name), args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const [output, complaint, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exited,
  ]);
  if (code !== 0) throw new Error(`${name} ${args.join(' ')}: ${complaint || output}`);
  return output;
}
