import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Image } from './oci-image.ts';
import { run } from './tool.ts';

const uid = 65532;

/** What an image of a Node app has beside its layers. */
export const nodeAppImage = {
  entrypoint: ['/usr/bin/node'],
  user: `${uid}:${uid}`,
  workdir: '/app',
} as const satisfies Partial<Image>;

/** Fills a folder with what Node needs to run in an image, and no more: the program, its libraries, users, CAs; no shell. */
export function makeNodeRuntime(root: string, program = process.execPath): void {
  const node = realpathSync(program);
  // The path in a version manager's script would lead nowhere in the image.
  if (!isElf(node)) throw new Error(`${node} is not a program but a script; name Node itself`);
  install(node, join(root, 'usr/bin/node'));
  const libraries = run('ldd', [node]).matchAll(/\/\S+/g);
  for (const [library] of libraries) install(library, join(root, library));

  mkdirSync(join(root, 'etc/ssl/certs'), { recursive: true });
  mkdirSync(join(root, 'tmp'));
  chmodSync(join(root, 'tmp'), 0o1777);
  const etc = (name: string, ...lines: string[]): void =>
    writeFileSync(join(root, 'etc', name), `${lines.join('\n')}\n`);
  const noShell = '/sbin/nologin';
  etc(
    'passwd',
    `root:x:0:0:root:/root:${noShell}`,
    `nobody:x:65534:65534:nobody:/:${noShell}`,
    `nonroot:x:${uid}:${uid}:nonroot:/app:${noShell}`,
  );
  etc('group', 'root:x:0:', 'nogroup:x:65534:', `nonroot:x:${uid}:`);
  etc('nsswitch.conf', 'hosts: files dns');
  const authorities = '/etc/ssl/certs/ca-certificates.crt';
  if (existsSync(authorities)) copyFileSync(authorities, join(root, authorities));
}

/** Fills a folder with `app` as /app, readable to everyone whatever the umask here. */
export function makeAppLayer(root: string, app: string): void {
  mkdirSync(root, { recursive: true });
  cpSync(app, join(root, 'app'), { recursive: true });
  run('chmod', ['-R', 'a+rX', root]);
}

function install(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(realpathSync(source), target);
  chmodSync(target, 0o755);
}

function isElf(file: string): boolean {
  const head = Buffer.alloc(4);
  readSync(openSync(file, 'r'), head);
  return head.toString('latin1') === '\u007fELF';
}
