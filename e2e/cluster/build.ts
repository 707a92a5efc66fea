/** Builds the Kubernetes programs of tests where they are missing: `node e2e/cluster/build.ts`. */
import { step } from '../../scripts/dev/progress.ts';
import { controlPlaneBinaries } from './binaries.ts';
import { buildBinaries } from './build-binaries.ts';

const good = await step('Kubernetes programs of tests', () => buildBinaries(controlPlaneBinaries));
process.exitCode = good ? 0 : 1;
