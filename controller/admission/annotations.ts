import { nearestName } from '../../crds/nearest-name.ts';
import { quantity } from './quantity.ts';

/** What a pod may ask for by annotations `holdfast.dev/<name>`; docs/injection.md has the table. */
export const annotationNames = [
  'inject',
  'image',
  'cpu',
  'cpu-limit',
  'memory',
  'memory-limit',
  'log-level',
  'socket-dir',
  'http-port',
  'scrape',
] as const;

type AnnotationName = (typeof annotationNames)[number];

/** Written by the webhook. */
export const injectedAnnotation = 'holdfast.dev/injected';
export const secretsAnnotation = 'holdfast.dev/secrets';

export interface Resources {
  readonly requests: { readonly cpu: string; readonly memory: string };
  readonly limits: { readonly cpu: string; readonly memory: string };
}

/** What is injected where no annotation says otherwise. */
export interface Defaults {
  readonly image: string;
  readonly resources: Resources;
  readonly logLevel: string;
}

export interface Wishes extends Defaults {
  /** Where containers find the socket; an absolute path. */
  readonly socketDir: string;
  readonly httpPort: number;
  /** Whether somebody chose the port. */
  readonly httpPortIsChosen: boolean;
  readonly scrape: boolean;
}

/** The sidecar's own folder for its socket, and that of the others unless an annotation says otherwise. */
export const socketFolder = '/run/holdfast';
const defaultHttpPort = 9464;
const leastMemory = 128 * 1024 ** 2;
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
/** The path of a socket has at most 107 bytes, `/s.sock` is 7 of them. */
const longestFolder = 100;

const prefix = 'holdfast.dev/';

/** Reads the annotations of a pod: what it wishes, all faults, and names that are nobody's. */
export function readWishes(
  annotations: Readonly<Record<string, string>>,
  defaults: Defaults,
): {
  readonly wishes: Wishes;
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
} {
  const faults: string[] = [];
  const refuse = (name: AnnotationName, fault: string): void => {
    faults.push(`annotation ${prefix}${name} ${fault}`);
  };
  const read = <Value>(
    name: AnnotationName,
    fallback: Value,
    parse: (text: string) => Value | undefined,
    fault: string,
  ): Value => {
    const text = annotations[prefix + name];
    if (text === undefined) return fallback;
    const value = parse(text);
    if (value === undefined) refuse(name, fault);
    return value ?? fallback;
  };
  const yesNo = (name: AnnotationName): boolean =>
    read(
      name,
      false,
      (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
      'must be "true" or "false"',
    );
  yesNo('inject');
  const wishes: Wishes = {
    image: read('image', defaults.image, imageOf, 'must be the reference of an image'),
    resources: resourcesOf(annotations, defaults.resources, refuse),
    logLevel: read(
      'log-level',
      defaults.logLevel,
      (text) => (logLevels.includes(text) ? text : undefined),
      `must be one of ${logLevels.join(', ')}`,
    ),
    socketDir: read(
      'socket-dir',
      socketFolder,
      folderOf,
      `must be an absolute path of at most ${longestFolder} bytes, without . and .., that is no folder of the system`,
    ),
    httpPort: read(
      'http-port',
      defaultHttpPort,
      (text) => {
        const port = /^\d{4,5}$/.test(text) ? Number(text) : 0;
        return port >= 1_024 && port <= 65_535 ? port : undefined;
      },
      'must be a port from 1024 to 65535',
    ),
    httpPortIsChosen: annotations[`${prefix}http-port`] !== undefined,
    scrape: yesNo('scrape'),
  };
  return { wishes, faults, warnings: strangers(annotations) };
}

/** A request above the default limit raises the limit, a limit below the default request lowers the request. */
function resourcesOf(
  annotations: Readonly<Record<string, string>>,
  defaults: Resources,
  refuse: (name: AnnotationName, fault: string) => void,
): Resources {
  const pair = (kind: 'cpu' | 'memory', unit: string): readonly [string, string] => {
    const given = (name: AnnotationName): string | undefined => {
      const text = annotations[prefix + name];
      if (text === undefined) return undefined;
      if (quantity(text) !== undefined) return text;
      refuse(name, `must be a quantity above 0, such as ${unit}`);
      return undefined;
    };
    const limitName = `${kind}-limit` as const;
    const [request, limit] = [given(kind), given(limitName)];
    const size = (text: string): number => quantity(text) ?? 0;
    const most = limit ?? larger(defaults.limits[kind], request ?? '0');
    const least = request ?? smaller(defaults.requests[kind], most);
    if (size(least) > size(most)) refuse(kind, `must be at most ${limitName} (${most})`);
    if (kind === 'memory' && size(most) < leastMemory) {
      refuse(limitName, 'must be at least 128Mi: the sidecar does not run with less');
    }
    return [least, most];
  };
  const [cpu, cpuLimit] = pair('cpu', '100m');
  const [memory, memoryLimit] = pair('memory', '128Mi');
  return { requests: { cpu, memory }, limits: { cpu: cpuLimit, memory: memoryLimit } };
}

const larger = (one: string, other: string): string =>
  (quantity(other) ?? 0) > (quantity(one) ?? 0) ? other : one;
const smaller = (one: string, other: string): string =>
  (quantity(other) ?? 0) < (quantity(one) ?? 0) ? other : one;

const imageOf = (text: string): string | undefined =>
  text.length <= 512 &&
  /^[a-zA-Z0-9][-a-zA-Z0-9._:/]*(:[\w][-\w.]{0,127})?(@sha256:[0-9a-f]{64})?$/.test(text)
    ? text
    : undefined;

/** Where nothing may be mounted over what is there. */
const systemFolders = /^\/(bin|boot|dev|etc|lib|lib64|proc|sbin|sys|usr|run|var|var\/run|tmp)?$/;

function folderOf(text: string): string | undefined {
  const isPlain = /^(\/[-A-Za-z0-9._]+)+$/.test(text) && !/\/\.{1,2}(\/|$)/.test(text);
  const isOthers = systemFolders.test(text) || /^\/(proc|sys|dev|var\/run\/secrets)\//.test(text);
  return isPlain && !isOthers && text.length <= longestFolder ? text : undefined;
}

function strangers(annotations: Readonly<Record<string, string>>): string[] {
  const ours: readonly string[] = [injectedAnnotation, secretsAnnotation];
  const known: readonly string[] = annotationNames;
  return Object.keys(annotations)
    .filter((name) => name.startsWith(prefix) && !ours.includes(name))
    .map((name) => name.slice(prefix.length))
    .filter((name) => !known.includes(name))
    .map((name) => {
      const nearest = nearestName(name, known);
      const meant = nearest === undefined ? '' : `; is ${prefix}${nearest} meant?`;
      return `annotation ${prefix}${name.slice(0, 80)} is not known${meant}`;
    });
}
