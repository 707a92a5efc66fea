import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  applyPatch,
  goldenAnswer,
  goldenNames,
  goldenPath,
  goldenRequest,
  injectionSettings,
} from './golden.test-kit.ts';
import { injectPod } from './inject.ts';
import type { Container, Pod } from './pod.ts';

const names = goldenNames();

test('there are cases', () => expect(names.length).toBeGreaterThanOrEqual(30));

test.each(names)('%s is as it was looked at (node scripts/injection-golden.ts)', (name) => {
  expect(goldenAnswer(goldenRequest(name))).toBe(readFileSync(goldenPath(name, 'out'), 'utf8'));
});

test.each(names)('%s, asked a second time, changes nothing', (name) => {
  const request = goldenRequest(name);
  const first = injectPod(request);
  const patch = first.kind === 'injected' ? first.patch : [];
  const pod = applyPatch(request.pod, patch);
  const second = injectPod({ ...request, pod });
  expect(second).toEqual(first.kind === 'injected' ? { ...first, patch: [] } : first);
});

const plain = (): ReturnType<typeof goldenRequest> => goldenRequest('plain');
const mountsOf = ({ volumeMounts = [] }: Container): string[] =>
  volumeMounts.map(({ name }) => name);

test('only the sidecar mounts what it keeps to itself', () => {
  const container = fc.record({ name: fc.string({ minLength: 1 }), image: fc.string() });
  fc.assert(
    fc.property(fc.array(container), fc.array(container), (containers, initContainers) => {
      const request = plain();
      const pod: Pod = { ...request.pod, spec: { containers, initContainers } };
      const answer = injectPod({ ...request, pod });
      const isTaken = [...containers, ...initContainers].some(({ name }) => name === 'holdfast');
      expect(answer.kind).toBe(isTaken ? 'refused' : 'injected');
      if (answer.kind !== 'injected') return;
      const { spec } = answer.pod;
      const mounts = [...(spec.initContainers ?? []), ...spec.containers].map(mountsOf);
      const [ofSidecar, ...ofOthers] = mounts;
      if (ofSidecar?.length !== 5 || ofOthers.some((each) => each.join() !== 'holdfast-socket')) {
        throw new Error(JSON.stringify(mounts));
      }
    }),
  );
});

test('two webhooks in either order leave the same pod but for the order of containers', () => {
  const mesh = { name: 'mesh', image: 'mesh:1' };
  const addMesh = (pod: Pod): Pod => ({
    ...pod,
    spec: { ...pod.spec, containers: [...pod.spec.containers, mesh] },
  });
  const addOurs = (pod: Pod): Pod => {
    const answer = injectPod({ ...plain(), pod });
    return answer.kind === 'injected' ? answer.pod : pod;
  };
  const { pod } = plain();
  expect(addOurs(addMesh(addOurs(pod)))).toEqual(addOurs(addMesh(pod)));
});

test('a sidecar that another webhook changed is left as it is', () => {
  const first = injectPod(plain());
  if (first.kind !== 'injected') throw new Error(first.kind);
  const [sidecar, ...rest] = first.pod.spec.initContainers ?? [];
  const changed = { ...sidecar, name: 'holdfast', image: 'mirror.example/holdfast:1' };
  const pod = { ...first.pod, spec: { ...first.pod.spec, initContainers: [...rest, changed] } };
  expect(injectPod({ ...plain(), pod })).toMatchObject({ patch: [] });
});

test('where clusters choose the user, none is asked for', () => {
  const answer = injectPod({
    ...plain(),
    authorities: undefined,
    settings: { ...injectionSettings, runAsUser: undefined },
  });
  if (answer.kind !== 'injected') throw new Error(answer.kind);
  const [sidecar] = answer.pod.spec.initContainers ?? [];
  expect(sidecar?.['securityContext']).not.toHaveProperty('runAsUser');
  expect(sidecar?.['securityContext']).toHaveProperty('runAsNonRoot', true);
  expect(sidecar?.env?.map(({ name }) => name)).not.toContain('HOLDFAST_CONTROLLER_CA');
});
