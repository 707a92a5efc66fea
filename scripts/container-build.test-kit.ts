import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, delimiter, join, matchesGlob, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('..', import.meta.url));

/** An instruction of the Dockerfile, and the stage that it is in. */
export interface Instruction {
  readonly stage: string;
  readonly keyword: string;
  readonly rest: string;
}

export function instructions(): Instruction[] {
  let stage = '';
  const lines = readFileSync(join(checkout, 'Dockerfile'), 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [, keyword, rest = ''] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    if (keyword === undefined) return [];
    if (keyword === 'FROM') stage = / AS (\w+)$/.exec(rest)?.[1] ?? '';
    return [{ stage, keyword, rest }];
  });
}

/**
 * Does what Docker would do in stage `build`, in a folder instead of a container: `/src` and `/out` are folders there. Packages are those of the
 * checkout, since `npm ci` would take them from a registry.
 */
export function runBuildStage(folder: string): void {
  const source = join(folder, 'src');
  mkdirSync(source);
  const inFolder = (text: string): string =>
    text.replaceAll(/(^|[ :=])(\/(?:src|out)\b)/g, `$1${folder}$2`);
  let path = process.env['PATH'] ?? '';
  for (const { keyword, rest } of instructions().filter(({ stage }) => stage === 'build')) {
    if (keyword === 'COPY') copy(rest, source);
    else if (keyword === 'ENV') {
      const [, value] = /^PATH=(.+):\$PATH$/.exec(rest) ?? [];
      if (value === undefined) throw new Error(`not understood: ENV ${rest}`);
      path = `${inFolder(value)}${delimiter}${path}`;
    } else if (rest === 'npm ci') install(source);
    else if (keyword === 'RUN') {
      const [program = '', ...args] = inFolder(rest).split(' ');
      const env = { ...process.env, PATH: path };
      execFileSync(program, args, { cwd: source, env, stdio: 'pipe' });
    }
  }
}

/** What `COPY . .` may copy. */
function context(): string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: checkout,
    encoding: 'utf8',
  });
  const ignored = readFileSync(join(checkout, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return listed
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(checkout, path)))
    .filter(
      (path) => !ignored.some((each) => matchesGlob(path, each) || matchesGlob(path, `${each}/**`)),
    );
}

function copy(rest: string, source: string): void {
  const sources = rest.split(' ');
  const target = sources.pop() ?? '';
  const known = context();
  for (const each of sources) {
    const files = each === '.' ? known : known.filter((path) => path === each);
    if (files.length === 0) throw new Error(`not in the build's context: ${each}`);
    for (const file of files) {
      const name = each === '.' ? file : join(target, basename(file));
      cpSync(join(checkout, file), join(source, normalize(name)));
    }
  }
}

function install(source: string): void {
  for (const needed of ['package.json', 'package-lock.json', 'clients/typescript/package.json']) {
    if (!existsSync(join(source, needed))) throw new Error(`npm ci needs ${needed}`);
  }
  symlinkSync(join(checkout, 'node_modules'), join(source, 'node_modules'));
}
