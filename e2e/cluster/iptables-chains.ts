import { run } from './tool.ts';

const commands = ['iptables', 'ip6tables'] as const;
const tables = ['mangle', 'filter', 'nat'] as const;

/** `iptables nat KUBE-SERVICES` and so on: chains that Kubernetes and its network plugins make. */
export const clusterChains = (): string[] =>
  commands.flatMap((command) =>
    tables.flatMap((table) =>
      chainsIn(saved(command, table)).map((chain) => `${command} ${table} ${chain}`),
    ),
  );

/** Removes all chains of a cluster but those that were there `before`, and the rules that lead into them. */
export function removeChains(before: readonly string[]): void {
  for (const command of commands) {
    for (const table of tables) {
      const text = saved(command, table);
      const ours = chainsIn(text).filter((name) => !before.includes(`${command} ${table} ${name}`));
      if (ours.length === 0) continue;
      const input = removalOf(table, text, ours);
      run(`${command}-restore`, ['--wait', '10', '--noflush'], { input });
    }
  }
}

/** In the language of iptables-restore: what iptables-save prints has quotes that a shell would have to read again. */
export function removalOf(table: string, text: string, chains: readonly string[]): string {
  const leadsThere = (line: string): boolean => {
    const target = / -[jg] (\S+)/.exec(line)?.[1];
    return target !== undefined && chains.includes(target);
  };
  const rules = text.split('\n').filter((line) => line.startsWith('-A ') && leadsThere(line));
  return [
    `*${table}`,
    ...rules.map((rule) => rule.replace(/^-A/, '-D')),
    ...chains.map((chain) => `-F ${chain}`),
    ...chains.map((chain) => `-X ${chain}`),
    'COMMIT',
    '',
  ].join('\n');
}

const chainsIn = (text: string): string[] =>
  [...text.matchAll(/^:((?:KUBE|CNI)-\S+)/gm)].map(([, name = '']) => name);

function saved(command: string, table: string): string {
  try {
    return run(`${command}-save`, ['-t', table]);
  } catch {
    // A kernel without this table has none of our chains.
    return '';
  }
}
