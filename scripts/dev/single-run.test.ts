import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { holdAlone } from './single-run.ts';

const name = `holdfast-test:${process.pid}`;

test('a second holder is refused and told who is first', async () => {
  await using _first = await holdAlone(name);
  await expect(holdAlone(name)).rejects.toThrow(
    `another ./dev up is running on this data (pid ${process.pid})`,
  );
});

test('the name is free again after the first one let go', async () => {
  await (await holdAlone(name))[Symbol.asyncDispose]();
  await using again = await holdAlone(name);
  expect(again).toBeDefined();
});

test('a holder that was killed leaves nothing behind', async () => {
  const module = fileURLToPath(new URL('./single-run.ts', import.meta.url));
  const program = `
    import { holdAlone } from ${JSON.stringify(module)};
    await holdAlone(${JSON.stringify(name)});
    console.log('held');
  `;
  const holder = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program]);
  await once(holder.stdout, 'data');
  await expect(holdAlone(name)).rejects.toThrow(`pid ${holder.pid}`);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  await using _next = await holdAlone(name);
});
