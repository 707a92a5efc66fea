/** One kind of object that the API server keeps. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** The fields that every object has. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

const resource = (
  apiVersion: string,
  kind: string,
  plural: string,
  namespaced = true,
): Resource => {
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  return { group, version, kind, plural, namespaced };
};

/** Every kind that the controller reads or writes. */
export const resources = {
  policies: resource('resilience.holdfast.dev/v1alpha1', 'ResiliencePolicy', 'resiliencepolicies'),
  budgets: resource(
    'resilience.holdfast.dev/v1alpha1',
    'ConnectionBudget',
    'connectionbudgets',
    false,
  ),
  pods: resource('v1', 'Pod', 'pods'),
  secrets: resource('v1', 'Secret', 'secrets'),
  configMaps: resource('v1', 'ConfigMap', 'configmaps'),
  namespaces: resource('v1', 'Namespace', 'namespaces', false),
  prometheusRules: resource('monitoring.coreos.com/v1', 'PrometheusRule', 'prometheusrules'),
  customResourceDefinitions: resource(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'customresourcedefinitions',
    false,
  ),
  mutatingWebhooks: resource(
    'admissionregistration.k8s.io/v1',
    'MutatingWebhookConfiguration',
    'mutatingwebhookconfigurations',
    false,
  ),
  validatingWebhooks: resource(
    'admissionregistration.k8s.io/v1',
    'ValidatingWebhookConfiguration',
    'validatingwebhookconfigurations',
    false,
  ),
  leases: resource('coordination.k8s.io/v1', 'Lease', 'leases'),
  events: resource('events.k8s.io/v1', 'Event', 'events'),
  tokenReviews: resource('authentication.k8s.io/v1', 'TokenReview', 'tokenreviews', false),
  accessReviews: resource(
    'authorization.k8s.io/v1',
    'SubjectAccessReview',
    'subjectaccessreviews',
    false,
  ),
} as const satisfies Readonly<Record<string, Resource>>;

/** `group/version`, or `v1` for the core group. */
export const apiVersionOf = ({ group, version }: Resource): string =>
  group === '' ? version : `${group}/${version}`;

/** What an object is of. @throws TypeError for a kind that the controller has nothing to do with. */
export function resourceOf({ apiVersion, kind }: KubeObject): Resource {
  const found = Object.values<Resource>(resources).find(
    (each) => each.kind === kind && apiVersionOf(each) === apiVersion,
  );
  if (found === undefined) {
    throw new TypeError(`${apiVersion} ${kind} is no kind of the controller`);
  }
  return found;
}

/** `namespace/name`, or `name` where there are no namespaces. */
export const keyOf = ({ metadata: { name, namespace } }: KubeObject): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

/** Path of the REST API: of a whole collection without a name, of all namespaces without a namespace. */
export function pathOf(
  of: Resource,
  {
    namespace,
    name,
    subresource,
  }: { namespace?: string | undefined; name?: string; subresource?: string } = {},
): string {
  const root = of.group === '' ? `/api/${of.version}` : `/apis/${of.group}/${of.version}`;
  return [
    root,
    ...(of.namespaced && namespace !== undefined ? ['namespaces', segment(namespace)] : []),
    of.plural,
    ...(name === undefined ? [] : [segment(name)]),
    ...(subresource === undefined ? [] : [subresource]),
  ].join('/');
}

/** A name with `/` or `..` in it would lead elsewhere. */
const segment = (name: string): string => {
  if (name === '' || name === '.' || name === '..') throw new TypeError(`"${name}" is no name`);
  return encodeURIComponent(name);
};
