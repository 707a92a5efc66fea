import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type LocatedPolicy, locatePolicies, PolicyFileError } from '../crds/policy-file.ts';
import { policyWarnings } from './policy-warnings.ts';

const help = `usage: holdfast policy check FILE...

Reads policies as kubectl apply and the sidecar take them. Says of good ones what is in them, and of others each fault with file, line, column and field.
A pool that a target names and no policy here has is a warning: it may come from elsewhere.

  -        reads standard input
  --help

Exit codes: 0 all are good, 1 there are faults, 2 wrong arguments, or a file that cannot be read.
`;

/** \`holdfast policy\`: resolves with the exit code. */
export async function policyCommand(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(help);
    return 0;
  }
  const [verb, ...files] = args;
  const stranger = files.find((file) => file.startsWith('-') && file !== '-');
  if (verb !== 'check' || files.length === 0 || stranger !== undefined) {
    process.stderr.write(help);
    return 2;
  }
  const good: Checked[] = [];
  let code = 0;
  for (const file of files) {
    const result = await check(file);
    if ('lines' in result) {
      process.stderr.write(result.lines.map((line) => `${line}\n`).join(''));
      code = Math.max(code, result.code);
    } else {
      good.push(result);
    }
  }
  for (const { name, policies } of good) {
    process.stdout.write(`${name}: ${policies.map(summary).join(`\n${name}: `)}\n`);
  }
  for (const warning of policyWarnings(good.flatMap(({ policies }) => policies))) {
    process.stderr.write(`${warning}\n`);
  }
  return code;
}

interface Checked {
  readonly name: string;
  readonly policies: readonly LocatedPolicy[];
}

interface Faulty {
  readonly lines: readonly string[];
  readonly code: 1 | 2;
}

async function check(file: string): Promise<Checked | Faulty> {
  const name = file === '-' ? 'stdin' : file;
  let content: string;
  try {
    content = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (thrown) {
    return { lines: [`${name} cannot be read: ${(thrown as Error).message}`], code: 2 };
  }
  try {
    return { name, policies: locatePolicies(content, name) };
  } catch (thrown) {
    if (!(thrown instanceof PolicyFileError)) throw thrown;
    return { lines: thrown.faults, code: 1 };
  }
}

/** `policy "orders" (Enforce): PostgreSQL "orders"; targets Postgres "orders"` */
function summary({ policy: { metadata, spec } }: LocatedPolicy): string {
  const quoted = (items: readonly { readonly name: string }[]): string[] =>
    items.map(({ name }) => `"${name}"`);
  const parts = [
    ...list('PostgreSQL', quoted(spec.postgres)),
    ...list('Redis', quoted(spec.redis)),
    ...list(
      'targets',
      spec.targets.map(({ kind, name }) => `${kind} "${name}"`),
    ),
    ...['locks', 'tracing', 'alerts'].filter((block) => spec[block as 'locks'] !== undefined),
  ];
  const what = parts.length === 0 ? 'nothing in it' : parts.join('; ');
  return `policy "${metadata.name}" (${spec.mode}): ${what}`;
}

const list = (title: string, items: readonly string[]): string[] =>
  items.length === 0 ? [] : [`${title} ${items.join(', ')}`];
