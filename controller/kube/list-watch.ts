import type { KubeApi } from './api.ts';
import { KubeError } from './kube-error.ts';
import { apiVersionOf, type KubeObject, pathOf, type Resource } from './resource.ts';
import type { Listed, WatchEvent, WatchSource } from './watch.ts';

export interface Selection<Item> {
  /** All of them without one. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** What is kept of an object; without it, everything but `managedFields`. */
  readonly shape?: (object: KubeObject) => Item;
}

interface ListAnswer {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items?: readonly KubeObject[];
}

interface WatchLine {
  readonly type: string;
  readonly object: KubeObject & {
    readonly code?: number;
    readonly reason?: string;
    readonly message?: string;
  };
}

const pageSize = 500;
const listTimeoutMs = 60_000;
/** The server ends a watch then. */
const watchSeconds = 600;

/** Objects of one kind, from the API server. */
export function listWatch<Item extends KubeObject>(
  api: KubeApi,
  resource: Resource,
  selection: Selection<Item> = {},
): WatchSource<Item> {
  const { namespace, labelSelector, fieldSelector } = selection;
  const path = pathOf(resource, { namespace });
  const selectors = { labelSelector, fieldSelector };
  const shape = selection.shape ?? (withoutManagers as (object: KubeObject) => Item);
  const kind = { apiVersion: apiVersionOf(resource), kind: resource.kind };

  return {
    list: async (signal) => {
      const items: Item[] = [];
      let page: ListAnswer | undefined;
      do {
        const query = { ...selectors, limit: pageSize, continue: page?.metadata.continue };
        page = await api.call<ListAnswer>({
          method: 'GET',
          path,
          query,
          signal,
          timeoutMs: listTimeoutMs,
        });
        // Items of a list do not say of what kind they are.
        for (const item of page.items ?? []) items.push(shape({ ...kind, ...item }));
      } while ((page.metadata.continue ?? '') !== '');
      return { items, resourceVersion: page.metadata.resourceVersion } satisfies Listed<Item>;
    },

    watch: async function* watch(resourceVersion, signal) {
      const lines = api.lines({
        method: 'GET',
        path,
        query: {
          ...selectors,
          watch: true,
          allowWatchBookmarks: true,
          resourceVersion,
          timeoutSeconds: watchSeconds,
        },
        signal,
      });
      for await (const line of lines) {
        const event = eventOf(JSON.parse(line) as WatchLine, shape);
        if (event !== undefined) yield event;
      }
    },
  };
}

function eventOf<Item>(
  { type, object }: WatchLine,
  shape: (object: KubeObject) => Item,
): WatchEvent<Item> | undefined {
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { type: 'changed', object: shape(object) };
    case 'DELETED':
      return { type: 'deleted', object: shape(object) };
    case 'BOOKMARK':
      return { type: 'bookmark', resourceVersion: object.metadata.resourceVersion ?? '' };
    case 'ERROR':
      throw new KubeError(object.code ?? 500, object.reason ?? '', `watch: ${object.message}`);
    default:
      return undefined;
  }
}

/** Who wrote which field is half of an object, and nobody here asks. */
function withoutManagers(object: KubeObject): KubeObject {
  const { managedFields: _managedFields, ...metadata } =
    object.metadata as typeof object.metadata & {
      managedFields?: unknown;
    };
  return { ...object, metadata };
}
