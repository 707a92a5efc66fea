import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive } from '../../scripts/servers/temporary-folder.ts';
import { RecordedProcesses, killAll, processesOf } from './recorded-processes.ts';

let folder: string;
let processes: RecordedProcesses;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-processes-'));
  processes = new RecordedProcesses(folder);
});
afterEach(async () => {
  for (const name of processes.names()) await processes.stop(name, 0);
  rmSync(folder, { recursive: true });
});

const start = (script: string): number => {
  processes.start('subject', process.execPath, ['-e', script, join(folder, 'mine')]);
  return processes.pidOf('subject') ?? 0;
};

test('another process is told by its pid, and asked to end', async () => {
  const pid = start('setInterval(() => {}, 1000)');
  const other = new RecordedProcesses(folder);
  expect(other.names()).toEqual(['subject']);
  expect(other.pidOf('subject')).toBe(pid);
  await other.stop('subject');
  expect(isAlive(pid)).toBe(false);
  expect(other.names()).toEqual([]);
});

test('one that does not listen is ended all the same', async () => {
  const pid = start(
    `process.on('SIGTERM', () => {}); console.log('deaf'); setInterval(() => {}, 1000)`,
  );
  await processes.until(
    'subject',
    'it is deaf',
    async () => processes.tailOf('subject', 1) === 'deaf',
  );
  await processes.stop('subject', 100);
  expect(isAlive(pid)).toBe(false);
});

test('a pid that belongs to another process since is left alone', async () => {
  const file = join(folder, 'pids/subject');
  start('');
  writeFileSync(file, `${process.pid} 1\n`);
  expect(processes.pidOf('subject')).toBeUndefined();
  await processes.stop('subject', 0);
  expect(processes.names()).toEqual([]);
});

test('waiting ends with the process, and shows what it wrote', async () => {
  start(`console.error('no such flag')`);
  await expect(processes.until('subject', 'it is ready', async () => false)).rejects.toThrow(
    /has ended[\s\S]*no such flag/,
  );
});

test('a process without a record is found by what it works on', async () => {
  const pid = start('setInterval(() => {}, 1000)');
  rmSync(join(folder, 'pids'), { recursive: true });
  const found = (): number[] => processesOf(folder, [basename(process.execPath)]);
  await expect.poll(found).toEqual([pid]);
  await killAll(found);
  expect(isAlive(pid)).toBe(false);
});
