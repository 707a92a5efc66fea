/** An object as the API server has it, as far as it is looked at here. */
export interface StoredObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly labels?: Labels;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

export type Labels = Readonly<Record<string, string>>;

/** All objects of a kind, by `namespace/name`, or `name` where there are no namespaces. */
export interface Watched<Item> {
  get(key: string): Item | undefined;
  list(): readonly Item[];
  /** Told of what was made or changed, and of undefined when it is gone. The result ends it. */
  onChange(listener: (key: string, object: Item | undefined) => void): () => void;
}
