/** An object as the API server has it, as far as it is looked at here. */
export interface WatchedObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
  };
  readonly status?: unknown;
}

/** All objects of a kind, by `namespace/name`, or `name` where there are no namespaces. */
export interface Watched {
  list(): readonly WatchedObject[];
  /** Told of what was made or changed, and of undefined when it is gone. The result ends it. */
  onChange(listener: (key: string, object: WatchedObject | undefined) => void): () => void;
}
