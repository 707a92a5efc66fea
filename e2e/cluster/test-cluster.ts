import { existsSync } from 'node:fs';
import {
  type Binary,
  buildLine,
  controlPlaneBinaries,
  failurePath,
  goProgram,
  isBuilt,
} from './binaries.ts';
import { startControlPlane } from './control-plane.ts';
import { KubeApi } from './kube-api.ts';
import { readKubeconfig } from './kubeconfig.ts';

export interface TestCluster {
  readonly api: KubeApi;
  /** File for kubectl. */
  readonly kubeconfig: string;
  stop(): Promise<void>;
}

const givenCluster = (): string | undefined => process.env['E2E_KUBECONFIG'];

/** Why there can be no cluster here, for the end of the title of tests that are skipped; undefined when there can. */
export function noClusterReason(
  needed: readonly Binary[] = controlPlaneBinaries,
): string | undefined {
  if (givenCluster() !== undefined || needed.every(isBuilt)) return undefined;
  if (existsSync(failurePath())) {
    return ` (skipped: building Kubernetes failed, no E2E_KUBECONFIG; ${buildLine} tries again)`;
  }
  if (goProgram() !== undefined) return undefined;
  return ' (skipped: neither Go to build one with, nor E2E_KUBECONFIG of one)';
}

/** The cluster of E2E_KUBECONFIG, which stays; else a control plane of one's own. */
export async function testCluster(): Promise<TestCluster> {
  const given = givenCluster();
  if (given !== undefined) {
    const api = new KubeApi(readKubeconfig(given));
    return { api, kubeconfig: given, stop: async () => api.close() };
  }
  const missing = controlPlaneBinaries.filter((binary) => !isBuilt(binary));
  if (missing.length > 0) throw new Error(`${missing.join(', ')} not built; type: ${buildLine}`);
  const plane = await startControlPlane();
  const api = new KubeApi(plane.access);
  return {
    api,
    kubeconfig: plane.kubeconfig,
    stop: async () => {
      api.close();
      await plane.stop();
    },
  };
}
