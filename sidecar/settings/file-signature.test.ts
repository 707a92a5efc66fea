import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileSignature } from './policy-settings.ts';

test('whatever stands at the path of a file has a signature, and nothing there throws', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hf-'));
  const path = join(folder, 'policies', 'policy.yaml');
  const seen: string[] = [fileSignature(path)];
  mkdirSync(join(folder, 'policies'));
  writeFileSync(path, 'a');
  seen.push(fileSignature(path));
  expect(fileSignature(path)).toBe(seen.at(-1));
  writeFileSync(path, 'ab');
  seen.push(fileSignature(path));
  rmSync(path);
  symlinkSync(path, path);
  seen.push(fileSignature(path));
  rmSync(join(folder, 'policies'), { recursive: true });
  writeFileSync(join(folder, 'policies'), 'no folder');
  seen.push(fileSignature(path));
  expect(new Set(seen).size).toBe(seen.length);
  expect(fileSignature(undefined)).toBe('');
  rmSync(folder, { recursive: true });
});
