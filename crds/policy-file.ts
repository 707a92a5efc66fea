import { LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import type { Document, Node, Tags } from 'yaml';
import { checkManifest, namedTwice } from './policy-manifest.ts';
import type { ResiliencePolicy } from './resilience-policy.ts';
import { type Fault, pathText } from './schema-faults.ts';

/** A policy file cannot be used. Each fault is one line: `policy.yaml:12:7: spec.postgres[0].pool.min must be at most max (10)`. */
export class PolicyFileError extends Error {
  override readonly name = 'PolicyFileError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/** Reads manifests as `kubectl apply --validate=strict` takes them: one or more documents, unknown fields refused, defaults filled in. */
export const readPolicyFile = (text: string, fileName: string): readonly ResiliencePolicy[] =>
  locatePolicies(text, fileName).map(({ policy }) => policy);

/** A policy, and where its fields stand. */
export interface LocatedPolicy {
  readonly policy: ResiliencePolicy;
  /** `policy.yaml:12:7`; of a field that is not there, the nearest thing around it. */
  readonly placeOf: (path: readonly PropertyKey[]) => string;
}

/** The same as `readPolicyFile`, for those who want to say more about a policy. */
export function locatePolicies(text: string, fileName: string): readonly LocatedPolicy[] {
  const lines = new LineCounter();
  const documents = [
    // kubectl reads YAML 1.1: `on` is true, `010` is 8.
    ...parseAllDocuments(text, {
      version: '1.1',
      customTags: kubectlTags,
      lineCounter: lines,
      prettyErrors: false,
    }),
  ];
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${fileName}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const broken = documents.flatMap(({ errors, warnings }) => [...errors, ...warnings]);
  if (broken.length > 0) {
    throw new PolicyFileError(broken.map(({ pos, message }) => `${at(pos[0])}: ${message}`));
  }

  const read = documents.filter(hasContent).map((document) => readManifest(document));
  const faults = read.flatMap(({ document, faults: own }) =>
    own
      .map(({ path, text: fault }) => ({ offset: offsetOf(document, path), path, fault }))
      .toSorted((one, other) => one.offset - other.offset)
      .map(({ offset, path, fault }) =>
        [`${at(offset)}:`, ...path.slice(0, 1).map(() => pathText(path)), fault].join(' '),
      ),
  );
  if (faults.length > 0) throw new PolicyFileError(faults);
  if (read.length === 0) throw new PolicyFileError([`${fileName}:1:1: holds no policy`]);

  const manifests = read.flatMap(({ document, policy }) =>
    policy === undefined ? [] : [{ document, policy }],
  );
  const place = ({ of: { document }, path }: { of: { document: Document }; path: Path }): string =>
    at(offsetOf(document, path));
  const conflicts = namedTwice(manifests).map(
    ({ second, first, text: fault }) =>
      `${place(second)}: ${pathText(second.path)} ${fault}, at ${place(first)}`,
  );
  if (conflicts.length > 0) throw new PolicyFileError(conflicts);
  return manifests.map(({ document, policy }) => ({
    policy,
    placeOf: (path) => at(offsetOf(document, path)),
  }));
}

/** kubectl's reader knows neither times nor numbers of base 60: `12:30` is text. */
const kubectlTags = (tags: Tags): Tags =>
  tags.filter(
    (tag) => typeof tag === 'string' || (!tag.tag.endsWith(':timestamp') && tag.format !== 'TIME'),
  );

const hasContent = ({ contents }: Document): boolean =>
  contents !== null && !(isScalar(contents) && contents.value === null);

interface Manifest {
  readonly document: Document;
  readonly policy?: ResiliencePolicy;
  readonly faults: readonly Fault[];
}

function readManifest(document: Document): Manifest {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (thrown) {
    // The reader's guard against aliases that multiply.
    return { document, faults: [{ path: [], text: (thrown as Error).message }] };
  }
  return { document, ...checkManifest(value) };
}

type Path = readonly PropertyKey[];

/** Where a field stands: its name, or the item of a list; the nearest thing around it when it is not there. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
      if (pair === undefined) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      offset = startOf(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

const startOf = (node: unknown): number | undefined => (node as Node | null)?.range?.[0];
