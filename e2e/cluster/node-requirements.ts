import { type Binary, goProgram, isBuilt, nodeBinaries } from './binaries.ts';
import { missingPackages } from './packages.ts';

/** What is missing for a node, in a sentence; undefined when one can be brought up now. */
export function noNodeReason(): string | undefined {
  const reasons = [...neverHere(), ...missingPackages().map((name) => `package ${name}`)];
  const unbuilt = nodeBinaries.filter((binary) => !isBuilt(binary));
  if (unbuilt.length > 0) reasons.push(`not built: ${unbuilt.join(', ')}`);
  return reasons.length === 0
    ? undefined
    : `a node needs what is missing here: ${reasons.join('; ')}`;
}

/** Why none can be had however long one builds; undefined when `build` may get the rest. */
export function noNodeEver(): string | undefined {
  const reasons = neverHere();
  const unbuilt = nodeBinaries.filter((binary: Binary) => !isBuilt(binary));
  if (unbuilt.length > 0 && goProgram() === undefined) {
    reasons.push(`Go 1.26 to build ${unbuilt.join(', ')}`);
  }
  return reasons.length === 0
    ? undefined
    : `a node needs what is missing here: ${reasons.join('; ')}`;
}

function neverHere(): string[] {
  const reasons: string[] = [];
  if (process.platform !== 'linux') reasons.push('Linux');
  if (process.getuid?.() !== 0) reasons.push('root');
  return reasons;
}
