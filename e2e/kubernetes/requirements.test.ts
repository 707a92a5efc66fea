import { afterEach, expect, test, vi } from 'vitest';
import { noEndToEndReason } from './requirements.ts';
import { environmentOf, surroundings } from './surroundings.ts';

afterEach(() => vi.unstubAllEnvs());

const given = {
  kubeconfig: '/somewhere',
  host: '172.18.0.1',
  sidecarImage: 'localhost/sidecar:1',
  controllerImage: 'localhost/controller:1',
  exampleImage: 'localhost/example:1',
  fixturesImage: 'localhost/fixtures:1',
};

test('a cluster of somebody needs no node, and images that it has', () => {
  for (const [name, value] of Object.entries(environmentOf(given))) vi.stubEnv(name, value);
  expect(noEndToEndReason()).toBeUndefined();
  expect(surroundings()).toEqual(given);

  vi.stubEnv('E2E_SIDECAR_IMAGE', undefined);
  expect(noEndToEndReason()).toContain('but not E2E_SIDECAR_IMAGE');
  expect(surroundings).toThrow('E2E_SIDECAR_IMAGE');
});
