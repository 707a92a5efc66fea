import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkReference, writeImages } from './oci-image.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-image-'));
  for (const layer of ['base', 'one', 'two']) {
    mkdirSync(join(folder, layer));
    writeFileSync(join(folder, layer, `${layer}.txt`), layer);
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Described {
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The archive, unpacked. */
async function written(): Promise<string> {
  const archive = join(folder, 'images.tar');
  const layers = (name: string): string[] => [join(folder, 'base'), join(folder, name)];
  await writeImages(
    [
      { reference: 'localhost/one:1', layers: layers('one'), entrypoint: ['/one'], user: '1:1' },
      { reference: 'localhost/two:1', layers: layers('two') },
    ],
    archive,
  );
  const target = mkdtempSync(join(folder, 'unpacked-'));
  execFileSync('tar', ['-C', target, '-xf', archive]);
  return target;
}

interface Content {
  readonly manifests: readonly Described[];
  readonly layers: readonly Described[];
}

const json = (root: string, file: string): Content =>
  JSON.parse(readFileSync(join(root, file), 'utf8')) as Content;

const blob = (digest: string): string => join('blobs/sha256', digest.replace('sha256:', ''));

test('images of one archive share their layers, and every blob is what its name says', async () => {
  const root = await written();
  const { manifests } = json(root, 'index.json');
  expect(manifests.map((each) => each.annotations?.['io.containerd.image.name'])).toEqual([
    'localhost/one:1',
    'localhost/two:1',
  ]);
  const layers = manifests.map(({ digest }) => json(root, blob(digest)).layers);
  expect(layers[0]?.[0]).toEqual(layers[1]?.[0]);
  for (const { digest, size } of [...manifests, ...layers.flat()]) {
    const bytes = readFileSync(join(root, blob(digest)));
    expect(bytes.length).toBe(size);
    expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(digest);
  }
});

test('the same folders give the same image', async () => {
  const before = json(await written(), 'index.json');
  expect(json(await written(), 'index.json')).toEqual(before);
});

test("a layer does not change the mode of the image's root", async () => {
  chmodSync(join(folder, 'base'), 0o700);
  const root = await written();
  const { manifests } = json(root, 'index.json');
  const { layers } = json(root, blob(manifests[0]?.digest ?? ''));
  const layer = join(root, blob(layers[0]?.digest ?? ''));
  expect(execFileSync('tar', ['-tf', layer]).toString().trim()).toBe('base.txt');
});

test.each(['app:1', 'holdfast/app:1', 'localhost/app', 'localhost/app:latest', 'Localhost/a:1'])(
  '%s is refused: a kubelet would look for it elsewhere',
  (reference) => {
    expect(() => checkReference(reference)).toThrow('image');
  },
);
