import { SettingsError } from './settings-error.ts';

/**
 * Reads a file of `NAME=value` lines: blank lines and lines that begin with `#` are skipped, quotes around a whole value are taken off, and
 * nothing is expanded.
 */
export function readEnvFile(text: string, fileName: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const place = `${fileName}:${index + 1}:`;
    const [, name, value] =
      /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(trimmed) ?? [];
    if (name === undefined || value === undefined) {
      throw new SettingsError(`${place} this is no NAME=value`);
    }
    if (values.has(name)) throw new SettingsError(`${place} ${name} is set twice`);
    const quoted = /^(["'])(.*)\1$/.exec(value);
    values.set(name, quoted?.[2] ?? value);
  }
  return values;
}
