import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { KubeApi } from './api.ts';
import { isConflict, isInvalid, isNotFound, KubeError } from './kube-error.ts';
import {
  keyOf,
  type KubeObject,
  type ObjectMeta,
  pathOf,
  type Resource,
  resourceOf,
} from './resource.ts';

/** Who the API server says has written a field. */
export const fieldManager = 'holdfast-controller';

interface WriteOptions {
  /** As a cache has it: nothing is sent when it is already so. */
  readonly stored?: KubeObject | undefined;
  readonly signal?: AbortSignal;
}

/** Reads and writes single objects; what fails is a KubeError. */
export interface Objects {
  /** Undefined when there is none. */
  get<Item extends KubeObject>(
    resource: Resource,
    where: { readonly namespace?: string | undefined; readonly name: string },
    signal?: AbortSignal,
  ): Promise<Item | undefined>;
  list<Item extends KubeObject>(
    resource: Resource,
    where?: { readonly namespace?: string; readonly labelSelector?: string },
    signal?: AbortSignal,
  ): Promise<readonly Item[]>;
  /** Makes the fields of the object so, whoever has written them before, and removes those that it made so earlier. True when something was sent. */
  apply(object: KubeObject, options?: WriteOptions): Promise<boolean>;
  /** The same, but never on an object that somebody else has made: one without the label `app.kubernetes.io/managed-by: holdfast`. Rejects with a conflict then. */
  applyOwn(object: KubeObject): Promise<boolean>;
  /** The same for the status; other fields of the object are not looked at. */
  applyStatus(
    object: KubeObject & { readonly status: object },
    options?: WriteOptions,
  ): Promise<boolean>;
  /** Replaces the status if the object still has this resourceVersion; the object as it is stored then, or a conflict. */
  replaceStatus<Item extends KubeObject>(
    object: Item,
    signal?: AbortSignal,
  ): Promise<Replaced<Item>>;
  /** True when it was there. With a uid, only the object that has it. */
  remove(object: KubeObject, signal?: AbortSignal): Promise<boolean>;
  /** The same if its first owner is this one, and without the right to read it. */
  removeOwned(object: KubeObject, ownerUid: string, signal?: AbortSignal): Promise<boolean>;
}

export type Replaced<Item> =
  | { readonly outcome: 'written'; readonly object: Item }
  | { readonly outcome: 'conflict' };

export function objectsOf(api: KubeApi): Objects {
  // What was applied last: a field that is not wanted any more does not show in a comparison with what is wanted.
  const applied = new Map<string, string>();

  const patch = async (
    object: KubeObject,
    subresource: 'status' | undefined,
    { stored, signal }: WriteOptions,
  ): Promise<boolean> => {
    const resource = resourceOf(object);
    const key = `${resource.plural}/${subresource ?? ''}/${keyOf(object)}`;
    const digest = createHash('sha256').update(JSON.stringify(object)).digest('base64');
    if (stored !== undefined && applied.get(key) === digest && contains(stored, object)) {
      return false;
    }
    await api.call({
      method: 'PATCH',
      path: pathOf(resource, { ...placeOf(object), ...(subresource && { subresource }) }),
      query: { fieldManager, force: true },
      contentType: 'application/apply-patch+yaml',
      body: object,
      signal,
    });
    applied.set(key, digest);
    return true;
  };

  const remove: Objects['remove'] = async (object, signal) => {
    const resource = resourceOf(object);
    const { uid } = object.metadata;
    for (const subresource of ['', 'status']) {
      applied.delete(`${resource.plural}/${subresource}/${keyOf(object)}`);
    }
    try {
      await api.call({
        method: 'DELETE',
        path: pathOf(resource, placeOf(object)),
        body: {
          kind: 'DeleteOptions',
          apiVersion: 'v1',
          propagationPolicy: 'Background',
          ...(uid === undefined ? {} : { preconditions: { uid } }),
        },
        signal,
      });
      return true;
    } catch (thrown) {
      if (isNotFound(thrown) || isConflict(thrown)) return false;
      throw thrown;
    }
  };

  /** By a patch that changes nothing, which needs no right to read: what is there if the test holds. */
  const test = async (
    object: KubeObject,
    is: { readonly path: string; readonly value: string },
    signal?: AbortSignal,
  ): Promise<ObjectMeta | 'another' | undefined> => {
    try {
      const { metadata } = await api.call<KubeObject>({
        method: 'PATCH',
        path: pathOf(resourceOf(object), placeOf(object)),
        query: { fieldManager },
        contentType: 'application/json-patch+json',
        body: [{ op: 'test', ...is }],
        signal,
      });
      return metadata;
    } catch (thrown) {
      if (isNotFound(thrown)) return undefined;
      if (isInvalid(thrown)) return 'another';
      throw thrown;
    }
  };

  return {
    get: async <Item>(
      resource: Resource,
      where: { readonly namespace?: string | undefined; readonly name: string },
      signal?: AbortSignal,
    ) => {
      try {
        return await api.call<Item>({ method: 'GET', path: pathOf(resource, where), signal });
      } catch (thrown) {
        if (isNotFound(thrown)) return undefined;
        throw thrown;
      }
    },
    list: async <Item>(
      resource: Resource,
      where: { readonly namespace?: string; readonly labelSelector?: string } = {},
      signal?: AbortSignal,
    ) => {
      const { namespace, labelSelector } = where;
      const path = pathOf(resource, { namespace });
      const query = { labelSelector };
      const { items } = await api.call<{ items: readonly Item[] }>({
        method: 'GET',
        path,
        query,
        signal,
      });
      return items;
    },
    apply: (object, options = {}) => patch(object, undefined, options),
    applyOwn: async (object) => {
      if ((await test(object, ours)) === 'another') {
        const what = `${object.kind} ${keyOf(object)}`;
        throw new KubeError(409, 'Conflict', `${what} is not Holdfast's: rename it, or the policy`);
      }
      return patch(object, undefined, {});
    },
    applyStatus: ({ apiVersion, kind, metadata, status }, options = {}) => {
      const { name, namespace } = metadata;
      const named = namespace === undefined ? { name } : { name, namespace };
      const object = { ...(apiVersion && { apiVersion }), ...(kind && { kind }), metadata: named };
      return patch({ ...object, status } as KubeObject, 'status', options);
    },
    replaceStatus: async (object, signal) => {
      try {
        const written = await api.call<typeof object>({
          method: 'PUT',
          path: pathOf(resourceOf(object), { ...placeOf(object), subresource: 'status' }),
          query: { fieldManager },
          body: object,
          signal,
        });
        return { outcome: 'written', object: written };
      } catch (thrown) {
        // One that is gone has been written by whoever removed it.
        if (isConflict(thrown) || isNotFound(thrown)) return { outcome: 'conflict' };
        throw thrown;
      }
    },
    remove,
    removeOwned: async (object, ownerUid, signal) => {
      const owner = { path: '/metadata/ownerReferences/0/uid', value: ownerUid };
      const found = await test(object, owner, signal);
      return found instanceof Object && remove({ ...object, metadata: found }, signal);
    },
  };
}

const ours = { path: '/metadata/labels/app.kubernetes.io~1managed-by', value: 'holdfast' };

const placeOf = ({ metadata: { name, namespace } }: KubeObject) => ({ name, namespace });

/** Whether everything of `part` is in `whole`; lists are compared as a whole. */
function contains(whole: unknown, part: unknown): boolean {
  if (!isRecord(part)) return isDeepStrictEqual(whole, part);
  // What is empty is not stored.
  if (!isRecord(whole)) return whole === undefined && Object.keys(part).length === 0;
  return Object.entries(part).every(([name, value]) => contains(whole[name], value));
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
