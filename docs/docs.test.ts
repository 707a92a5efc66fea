import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { statusNames } from '../clients/typescript/errors.ts';
import { reasons } from '../platform/errors.ts';
import { admissionMetrics } from '../controller/admission/admission-metrics.ts';
import { budgetMetrics } from '../controller/budget/budget-metrics.ts';
import { discoveryMetrics } from '../controller/discovery/discovery-metrics.ts';
import { kubeMetrics } from '../controller/kube/kube-metrics.ts';
import { policyPodMetrics } from '../controller/reconcile/policy-pod-metrics.ts';
import { processMetrics } from '../platform/process-metrics.ts';
import { requestMetrics } from '../sidecar/grpc/request-metrics.ts';
import { connectionBudgetMetrics } from '../sidecar/control/budget-metrics.ts';
import { controlMetrics } from '../sidecar/control/control-metrics.ts';
import { policyMetrics } from '../sidecar/policies/policy-metrics.ts';
import { poolMetrics } from '../sidecar/postgres/pool-metrics.ts';
import { targetMetrics } from '../sidecar/resilience/target-metrics.ts';
import { redisMetrics } from '../sidecar/redis/redis-metrics.ts';
import { eventMetrics } from '../sidecar/services/events/event-metrics.ts';
import { upstreamMetrics } from '../sidecar/services/upstream/upstream-metrics.ts';
import { costMetrics } from '../sidecar/resilience/cost-metrics.ts';
import { lockMetrics } from '../sidecar/services/locks/lock-metrics.ts';
import { guardMetrics } from '../sidecar/services/guard/guard-metrics.ts';

const checkout = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(checkout, path), 'utf8');
const files = (...patterns: string[]): string[] => globSync(patterns, { cwd: checkout });
const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, part = '']) => part);

/** What is in backticks. */
const codes = (text = ''): string[] => matches(text, /`([^`]+)`/g);

/** From a heading to the next one that is not below it. */
function section(path: string, heading: string): string {
  const lines = read(path).split('\n');
  const start = lines.indexOf(heading);
  if (start === -1) throw new Error(`${path} has no heading "${heading}"`);
  const next = new RegExp(`^#{1,${heading.indexOf(' ')}} `);
  const length = lines.slice(start + 1).findIndex((line) => next.test(line));
  return lines.slice(start, length === -1 ? undefined : start + 1 + length).join('\n');
}

/** Rows of tables whose first cell is in backticks, cell by cell. */
const tableRows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.slice(2, -2).split(' | '));

const ofTheClient = section('docs/errors.md', '### Of the TypeScript client');
const ofTheSidecar = section('docs/errors.md', '## Reasons').replace(ofTheClient, '');
const explained = (text: string): string[] => tableRows(text).flatMap(([reason]) => codes(reason));

test('the page of errors explains every reason once, and none that does not exist', () => {
  expect(explained(ofTheSidecar).toSorted()).toEqual(reasons.toSorted());
});

test('the page of errors has every reason that the TypeScript client makes up', () => {
  const [union = ''] = matches(
    read('clients/typescript/errors.ts'),
    /type ClientReason =(.+?);\n\n/gs,
  );
  expect(explained(ofTheClient).toSorted()).toEqual(matches(union, /\| '(\w+)'/g).toSorted());
});

test('the reasons have statuses of gRPC', () => {
  const statuses = tableRows(ofTheSidecar + ofTheClient).flatMap(([, status]) => codes(status));
  expect(statuses.filter((status) => !statusNames.some((name) => name === status))).toEqual([]);
});

test('pages name no reason that does not exist', () => {
  const known = new Set([
    ...reasons,
    ...explained(ofTheClient),
    ...statusNames,
    // Values of enums, and settings, are spelled so, too.
    ...files('proto/holdfast/v1/*.proto').flatMap((path) =>
      matches(read(path), /^ *([A-Z]+_[A-Z_]+) = \d+;/gm).flatMap((name) => [
        name,
        name.replace('FILTER_OPERATOR_', ''),
      ]),
    ),
    ...['docs/settings.md', 'docs/controller-settings.md'].flatMap((path) =>
      tableRows(section(path, '## Variables')).flatMap(([name]) => codes(name)),
    ),
  ]);
  const strange = files('README.md', 'docs/*.md').flatMap((path) =>
    codes(read(path)).filter((code) => /^[A-Z]+_[A-Z_]+$/.test(code) && !known.has(code)),
  );
  expect(strange).toEqual([]);
});

/** What prom-client keeps of a metric; its types leave out the labels. */
interface Registered {
  readonly name: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

function registered(register: (registry: Registry) => void): Registered[] {
  const registry = new Registry();
  register(registry);
  // Those of prom-client are its own.
  return (registry.getMetricsAsArray() as unknown as Registered[]).filter(({ name }) =>
    name.startsWith('holdfast_'),
  );
}

const madeByTheSidecar = registered((registry) => {
  processMetrics(registry, Infinity);
  requestMetrics(registry);
  poolMetrics(registry, () => []);
  redisMetrics(registry, () => []);
  targetMetrics(registry, () => []);
  lockMetrics(registry, () => 0);
  eventMetrics(registry);
  policyMetrics(registry, { version: 1, digest: '', faults: [] });
  controlMetrics(registry, () => false);
  connectionBudgetMetrics(registry, () => []);
  upstreamMetrics(registry);
  costMetrics(registry);
  guardMetrics(registry, () => new Map());
});

/** Beside those of its process, which are the same. */
const madeByTheController = registered((registry) => {
  admissionMetrics(registry, () => undefined);
  budgetMetrics(registry, () => new Map());
  discoveryMetrics(registry, () => 0);
  kubeMetrics(registry, () => undefined);
  policyPodMetrics(registry);
});

const names = new Set([...madeByTheSidecar, ...madeByTheController].map(({ name }) => name));

const controllersMetrics = section('docs/metrics.md', '## Of the controller');

test.each([
  ['sidecar', madeByTheSidecar, read('docs/metrics.md').replace(controllersMetrics, '')],
  ['controller', madeByTheController, controllersMetrics],
] as const)(
  'the page of metrics has every metric of the %s with its type and labels, and no other',
  (_program, registered, text) => {
    const documented = tableRows(text)
      .filter(([name = '']) => name.startsWith('`holdfast_'))
      .map(([name = '', type, labels]) => `${codes(name).join()} ${type} ${codes(labels).join()}`);
    const made = registered.map(
      ({ name, type, labelNames }) => `${name} ${type} ${labelNames.join()}`,
    );
    expect(documented.toSorted()).toEqual(made.toSorted());
  },
);

test('metrics are registered nowhere else', () => {
  const sources = files('{platform,sidecar,controller}/**/*.ts').filter(
    (path) => !/\.(test|test-kit)\.ts$/.test(path),
  );
  const written = sources.flatMap((path) => matches(read(path), /'(holdfast_[a-z_]+)'/g));
  expect(new Set(written)).toEqual(names);
});

test('pages name no metric that does not exist', () => {
  const strange = files('README.md', 'docs/*.md').flatMap((path) =>
    matches(read(path), /\b(holdfast_[a-z_]+)\b/g).filter(
      (name) => !names.has(name.replace(/_(bucket|sum|count)$/, '')),
    ),
  );
  expect(strange).toEqual([]);
});

/** As GitHub makes them of headings. */
const anchors = (page: string): string[] =>
  matches(page, /^#+ (.+)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test('links between pages lead somewhere', () => {
  const leadsNowhere = (path: string, link: string): boolean => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : join(dirname(path), file);
    if (!existsSync(join(checkout, target))) return true;
    return anchor !== undefined && !anchors(read(target)).includes(anchor);
  };
  const broken = files('*.md', 'docs/*.md', 'clients/*/*.md').flatMap((path) =>
    matches(read(path), /\]\(([^)\s]+)\)/g)
      .filter((link) => !/^https?:/.test(link) && leadsNowhere(path, link))
      .map((link) => `${path}: ${link}`),
  );
  expect(broken).toEqual([]);
});
